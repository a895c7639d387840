@_spi(_Unicode) import Swift

/// Unicode normalization form C, as the `tokenizers` library knows it.
enum Composition {
  /// Scalars below this never change and never join the scalar before them.
  private static let firstAffected: UInt32 = 0x300

  /// The last version of Unicode that the library's tables hold.
  private static let newestVersion = 9

  /// The text in normalization form C.
  ///
  /// Only the stretches that hold scalars from U+0300 on are normalized, each with the scalar
  /// before it: nothing else can change.
  static func compose(_ text: [UInt8]) -> [UInt8] {
    let span = text.span
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var start = 0
    var index = 0
    var isAffected = false
    while index < span.count {
      let (scalar, width) = span.scalar(at: index)
      let isInert = isInert(scalar)
      if scalar < firstAffected || isInert {
        append(span.extracting(start..<index), isAffected: isAffected, to: &result)
        start = index
        isAffected = false
      } else {
        isAffected = true
      }
      index += width
      if isInert {
        append(span.extracting(start..<index), isAffected: false, to: &result)
        start = index
      }
    }
    append(span.extracting(start..<index), isAffected: isAffected, to: &result)
    return result
  }

  private static func append(_ text: Span<UInt8>, isAffected: Bool, to result: inout [UInt8]) {
    guard isAffected else {
      for index in text.indices { result.append(text[index]) }
      return
    }
    var scalars = String.UnicodeScalarView()
    for scalar in String(decoding: text.copied(), as: UTF8.self).unicodeScalars {
      scalars += decompositions[scalar] ?? [scalar]
    }
    for scalar in String(scalars)._nfc {
      result += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
    }
  }

  /// The scalars that are starters themselves and decompose into marks.
  ///
  /// The standard library sorts marks between starters before it decomposes these, so they are
  /// decomposed here.
  private static let decompositions: [Unicode.Scalar: [Unicode.Scalar]] = [
    "\u{F73}": ["\u{F71}", "\u{F72}"],
    "\u{F75}": ["\u{F71}", "\u{F74}"],
    "\u{F81}": ["\u{F71}", "\u{F80}"],
  ]

  /// Whether the library leaves a scalar as it is, because its tables are older.
  private static func isInert(_ value: UInt32) -> Bool {
    guard value >= firstAffected, let scalar = Unicode.Scalar(value) else { return false }
    guard let age = scalar.properties.age else { return true }
    return age.major > newestVersion
  }
}
