/// A change of the text before it is cut into words.
enum Normalizer: Equatable, Sendable {
  /// Unicode normalization form C.
  case composed
  /// Puts bytes before a text that is not empty.
  case prepend([UInt8])
  /// Replaces each occurrence of a pattern, from left to right.
  case replace(pattern: [UInt8], content: [UInt8])

  /// A text may become this many times as long, and ``slack`` bytes longer; more is an attack.
  static let largestGrowth = 16
  /// See ``largestGrowth``.
  static let slack = 1024

  /// The changed text; valid UTF-8 stays valid.
  ///
  /// - Parameter text: Valid UTF-8.
  /// - Returns: The changed text.
  /// - Throws: ``TokenizationError/textTooLong(bytes:)`` if the text grows beyond reason.
  func apply(to text: [UInt8]) throws(TokenizationError) -> [UInt8] {
    switch self {
    case .composed: return Composition.compose(text)
    case .prepend(let prefix): return text.isEmpty ? text : prefix + text
    case .replace(let pattern, let content):
      return try Self.replace(pattern, by: content, in: text)
    }
  }

  private static func replace(
    _ pattern: [UInt8],
    by content: [UInt8],
    in text: [UInt8]
  ) throws(TokenizationError) -> [UInt8] {
    let span = text.span
    let limit = min(largestGrowth * text.count + slack, Int(Int32.max))
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var index = 0
    while index < span.count {
      if span[index] == pattern[0], span.hasBytes(pattern, at: index) {
        result += content
        index += pattern.count
      } else {
        result.append(span[index])
        index += 1
      }
      guard result.count <= limit else { throw .textTooLong(bytes: result.count) }
    }
    return result
  }
}
