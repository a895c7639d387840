/// Sequences of tokens of equal length.
package struct TokenSequences: Equatable, Sendable {
  /// The tokens, sequence after sequence.
  package let tokens: [Int]
  /// The number of tokens in a sequence, at least 1.
  package let length: Int

  /// The number of sequences.
  package var count: Int { tokens.count / length }

  /// Cuts tokens into sequences.
  ///
  /// - Parameters:
  ///   - tokens: The tokens, sequence after sequence; at least one sequence.
  ///   - length: The number of tokens in a sequence.
  /// - Throws: ``ModelError/unequalSequences(length:tokens:)`` if they do not come out even.
  package init(tokens: [Int], length: Int) throws(ModelError) {
    guard length > 0, !tokens.isEmpty, tokens.count % length == 0 else {
      throw .unequalSequences(length: length, tokens: tokens.count)
    }
    self.tokens = tokens
    self.length = length
  }

  /// Refuses tokens that a vocabulary of that size does not have.
  func check(vocabulary: Int) throws(ModelError) {
    for (index, token) in tokens.enumerated() where token < 0 || token >= vocabulary {
      throw .tokenOutsideVocabulary(
        token: token,
        sequence: index / length,
        position: index % length,
        vocabulary: vocabulary
      )
    }
  }
}
