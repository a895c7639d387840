/// The classes of Unicode scalars that the word patterns tell apart.
enum ScalarClass: UInt8 {
  /// None of the other three.
  case other
  /// `\p{L}`.
  case letter
  /// `\p{N}`.
  case number
  /// `\s`.
  case space
}

/// A table of the classes of all scalars.
///
/// The `tokenizers` library takes its classes from Oniguruma, whose Unicode version is older than
/// that of Swift's standard library. What Oniguruma does not know is `other` here too, so the ids
/// are the same.
struct ScalarClasses: Sendable {
  /// The one table, made when first used.
  static let shared = ScalarClasses()

  /// Scalars from here on are neither letters, numbers nor white space.
  private static let end: UInt32 = 0x40000

  private let table: [UInt8]

  private init() {
    var table = [UInt8](repeating: 0, count: Int(Self.end))
    for value in 0..<Self.end {
      guard let scalar = Unicode.Scalar(value) else { continue }
      table[Int(value)] = Self.classify(scalar).rawValue
    }
    for range in Self.unknownLetters + Self.unknownNumbers {
      for value in range { table[value] = ScalarClass.other.rawValue }
    }
    self.table = table
  }

  /// The class of a scalar.
  @inline(__always)
  subscript(scalar: UInt32) -> ScalarClass {
    guard scalar < Self.end else { return .other }
    return ScalarClass(rawValue: table[Int(scalar)]) ?? .other
  }

  private static func classify(_ scalar: Unicode.Scalar) -> ScalarClass {
    if scalar.properties.isWhitespace { return .space }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      return .letter
    case .decimalNumber, .letterNumber, .otherNumber: return .number
    default: return .other
    }
  }

  /// Letters that came to Unicode after Oniguruma's tables.
  private static let unknownLetters: [ClosedRange<Int>] = [
    0x88F...0x88F, 0xC5C...0xC5C, 0xCDC...0xCDC, 0xA7CE...0xA7CF, 0xA7D2...0xA7D2,
    0xA7D4...0xA7D4, 0xA7F1...0xA7F1, 0x10940...0x10959, 0x10EC5...0x10EC7, 0x11DB0...0x11DDB,
    0x16EA0...0x16EB8, 0x16EBB...0x16ED3, 0x16FF2...0x16FF3, 0x187F8...0x187FF,
    0x18D09...0x18D1E, 0x18D80...0x18DF2, 0x1E6C0...0x1E6DE, 0x1E6E0...0x1E6E2,
    0x1E6E4...0x1E6E5, 0x1E6E7...0x1E6ED, 0x1E6F0...0x1E6F4, 0x1E6FE...0x1E6FF,
    0x2B73A...0x2B73F, 0x2CEA2...0x2CEAD, 0x323B0...0x33479,
  ]

  /// Numbers that came to Unicode after Oniguruma's tables.
  private static let unknownNumbers: [ClosedRange<Int>] = [0x11DE0...0x11DE9, 0x16FF4...0x16FF6]
}
