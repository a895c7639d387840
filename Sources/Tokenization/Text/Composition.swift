@_spi(_Unicode) import Swift

/// Unicode normalization form C, as the `tokenizers` library knows it.
enum Composition {
  /// Whether a scalar never changes by itself and never joins the scalar before it, so that the
  /// text can be cut before it; false says nothing.
  ///
  /// These are the frequent scalars of common scripts; the text between them takes longer.
  static func startsAnew(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0..<0x300,  // Latin.
      0x400...0x482, 0x5D0...0x5EA, 0x621...0x64A,  // Cyrillic, Hebrew, Arabic.
      0x2010...0x2027, 0x3001...0x3029, 0xFF01...0xFF5E,  // Punctuation.
      0x3041...0x3096, 0x309B...0x30FF,  // Kana.
      0x3400...0x4DB5, 0x4E00...0x9FD5, 0xAC00...0xD7A3:  // Ideographs, Hangul.
      true
    default: false
    }
  }

  /// The last version of Unicode that the library's tables hold.
  private static let newestVersion = 9

  /// The text in normalization form C.
  ///
  /// Only the stretches that hold other scalars than those of ``startsAnew(_:)`` are normalized,
  /// each with the scalar before it: nothing else can change.
  static func compose(_ text: [UInt8]) -> [UInt8] {
    let span = text.span
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var start = 0
    var index = 0
    var isAffected = false
    while index < span.count {
      let (scalar, width) = span.scalar(at: index)
      let startsAnew = startsAnew(scalar)
      let isInert = !startsAnew && isInert(scalar)
      if startsAnew || isInert {
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
      if let parts = decompositions[scalar] { scalars += parts } else { scalars.append(scalar) }
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
    guard let scalar = Unicode.Scalar(value) else { return false }
    guard let age = scalar.properties.age else { return true }
    return age.major > newestVersion
  }
}
