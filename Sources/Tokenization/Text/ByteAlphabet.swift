/// The printable scalars by which byte-level vocabularies write bytes, as GPT-2 chose them.
///
/// Bytes that are printable in Latin-1 stand for themselves; the others, in order, are written as
/// U+0100 and following.
enum ByteAlphabet {
  /// The scalar that stands for each byte; 256 entries.
  static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (UInt32(0)..<256).map { byte in
      switch byte {
      case 33...126, 161...172, 174...255: return Unicode.Scalar(UInt8(byte))
      default:
        defer { next += 1 }
        return Unicode.Scalar(next) ?? "\u{FFFD}"
      }
    }
  }()

  private static let bytes = Dictionary(
    uniqueKeysWithValues: scalars.enumerated().map { ($1, UInt8($0)) }
  )

  /// The text that stands for bytes.
  static func spelling(of bytes: some Sequence<UInt8>) -> TokenBytes {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(scalars[Int(byte)]) }
    return TokenBytes(String(text))
  }

  /// The bytes that a token stands for; nil if it has a scalar that stands for no byte.
  static func bytes(spelledBy token: TokenBytes) -> [UInt8]? {
    var result: [UInt8] = []
    for scalar in token.string.unicodeScalars {
      guard let byte = bytes[scalar] else { return nil }
      result.append(byte)
    }
    return result
  }
}
