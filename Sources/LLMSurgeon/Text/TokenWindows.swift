import Tensors

/// Equally long sequences of token ids, ready for the model.
package struct TokenWindows: Sendable, Equatable {
  /// The ids of all windows, one window after the other.
  package let tokens: [Int]
  /// The number of tokens in each window.
  package let length: Int
  /// The first token of each window within its text, where windows were drawn from one.
  package let starts: [Int]?
  /// The file names that the windows come from, without folders.
  package let source: String

  /// The number of windows.
  package var count: Int { tokens.count / length }

  /// Windows that lie one after the other in `tokens`.
  package init(tokens: [Int], length: Int, starts: [Int]? = nil, source: String) {
    precondition(length > 0 && tokens.count.isMultiple(of: length), "whole windows")
    self.tokens = tokens
    self.length = length
    self.starts = starts
    self.source = source
  }

  /// A hash of the ids and the length, the same for the same windows from any file.
  package var fingerprint: String {
    var hasher = ContentHasher()
    hasher.update(length)
    for token in tokens { hasher.update(token) }
    return hasher.finalize().description
  }

  /// The window number `index`.
  package subscript(index: Int) -> ArraySlice<Int> {
    tokens[index * length..<(index + 1) * length]
  }
}
