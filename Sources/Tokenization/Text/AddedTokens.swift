/// A token that is cut out of the text before anything else happens to it.
struct AddedToken: Equatable, Sendable {
  let content: TokenBytes
  let id: Int32
  /// Whether it is a mark for the model rather than text.
  let isSpecial: Bool
  /// Whether it is looked for in the normalized text.
  let isNormalized: Bool
  /// Whether it counts only where no word character touches it.
  let isSingleWord: Bool
  /// Whether it takes the white space before it along.
  let stripsLeft: Bool
  /// Whether it takes the white space behind it along.
  let stripsRight: Bool
}

/// A part of a text: an added token, or what lies between two of them.
enum TextPart: Equatable {
  case token(Int32)
  case text(Range<Int>)
}

/// Finds added tokens in a text: the leftmost first, of those the longest.
struct AddedTokenFinder: Sendable {
  private struct Pattern: Sendable {
    let bytes: [UInt8]
    let token: AddedToken
  }

  /// The patterns that begin with each byte, the longest first.
  private let patterns: [[Pattern]]
  private let isEmpty: Bool

  /// Looks for tokens as they are written after normalization.
  ///
  /// - Parameter tokens: The tokens, and the bytes to look for.
  /// - Throws: ``TokenizationError/emptyAddedToken(id:)`` if there are none.
  init(_ tokens: [(pattern: [UInt8], token: AddedToken)]) throws(TokenizationError) {
    var patterns = [[Pattern]](repeating: [], count: 256)
    for (bytes, token) in tokens {
      guard let first = bytes.first else { throw .emptyAddedToken(id: Int(token.id)) }
      patterns[Int(first)].append(Pattern(bytes: bytes, token: token))
    }
    for index in patterns.indices {
      patterns[index].sort { ($1.bytes.count, $0.token.id) < ($0.bytes.count, $1.token.id) }
    }
    self.patterns = patterns
    isEmpty = tokens.isEmpty
  }

  /// Cuts a text at the tokens that stand in it; the parts are in order, none is empty text.
  func parts(of text: Span<UInt8>) -> [TextPart] {
    guard !isEmpty else { return text.isEmpty ? [] : [.text(0..<text.count)] }
    var parts: [TextPart] = []
    var start = 0
    var index = 0
    while index < text.count {
      guard let found = pattern(in: text, at: index) else {
        index += 1
        continue
      }
      let match = index..<index + found.bytes.count
      index = match.upperBound
      let token = found.token
      guard !token.isSingleWord || stands(alone: match, in: text) else { continue }
      let range = stretched(match, of: token, in: text, from: start)
      if start < range.lowerBound { parts.append(.text(start..<range.lowerBound)) }
      parts.append(.token(token.id))
      start = range.upperBound
    }
    if start < text.count { parts.append(.text(start..<text.count)) }
    return parts
  }

  private func pattern(in text: Span<UInt8>, at index: Int) -> Pattern? {
    let candidates = patterns[Int(text[index])]
    for candidate in candidates where text.hasBytes(candidate.bytes, at: index) {
      return candidate
    }
    return nil
  }

  /// The match and the white space that the token takes along.
  private func stretched(
    _ match: Range<Int>,
    of token: AddedToken,
    in text: Span<UInt8>,
    from start: Int
  ) -> Range<Int> {
    let classes = ScalarClasses.shared
    var (lower, upper) = (match.lowerBound, match.upperBound)
    if token.stripsLeft {
      while lower > 0 {
        let previous = text.startOfScalar(before: lower)
        guard classes[text.scalar(at: previous).value] == .space else { break }
        lower = previous
      }
      lower = max(lower, start)
    }
    if token.stripsRight {
      while upper < text.count, classes[text.scalar(at: upper).value] == .space {
        upper += text.scalar(at: upper).width
      }
    }
    return lower..<max(lower, upper)
  }

  /// Whether no word character touches the match.
  private func stands(alone match: Range<Int>, in text: Span<UInt8>) -> Bool {
    let before =
      match.lowerBound > 0
      && isWordCharacter(text.scalar(at: text.startOfScalar(before: match.lowerBound)).value)
    let behind =
      match.upperBound < text.count && isWordCharacter(text.scalar(at: match.upperBound).value)
    return !before && !behind
  }

  /// The last version of Unicode in which the `tokenizers` library knows word characters.
  private static let newestVersion = 16

  /// `\w` of Unicode's regular expressions (UTS #18).
  private func isWordCharacter(_ value: UInt32) -> Bool {
    guard let properties = Unicode.Scalar(value)?.properties, let age = properties.age,
      age.major <= Self.newestVersion
    else { return false }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation:
      return true
    default: return properties.isAlphabetic || properties.isJoinControl
    }
  }
}
