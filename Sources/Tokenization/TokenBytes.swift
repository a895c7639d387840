/// The exact bytes of a token, compared byte by byte.
///
/// `String` would treat "é" and "e\u{301}" as one key; a vocabulary holds both.
package struct TokenBytes: Hashable, Sendable {
  /// The UTF-8 bytes of the token as its vocabulary writes it.
  package let utf8: [UInt8]

  /// Takes UTF-8 bytes as they are.
  package init(utf8: [UInt8]) { self.utf8 = utf8 }
  /// The UTF-8 bytes of a string.
  package init(_ text: String) { utf8 = Array(text.utf8) }
  /// The token as a Swift string.
  package var string: String { String(decoding: utf8, as: UTF8.self) }
}
