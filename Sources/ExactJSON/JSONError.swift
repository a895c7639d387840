/// Why bytes are not a JSON document that can be trusted.
package struct JSONError: Error, Equatable, CustomStringConvertible {
  /// What is wrong.
  package enum Reason: Equatable, Sendable {
    case unexpectedEnd
    case unexpectedByte(UInt8)
    case invalidNumber
    case invalidEscape
    case invalidUTF8
    case controlCharacter
    case duplicateKey(String)
    case tooDeep
    case trailingBytes
  }

  /// What is wrong.
  package let reason: Reason
  /// Where, in bytes from the start.
  package let offset: Int

  package var description: String {
    let what =
      switch reason {
      case .unexpectedEnd: "the text ends too early"
      case .unexpectedByte(let byte): "unexpected byte 0x\(String(byte, radix: 16))"
      case .invalidNumber: "malformed number"
      case .invalidEscape: "malformed escape sequence"
      case .invalidUTF8: "bytes that are not UTF-8"
      case .controlCharacter: "unescaped control character in a string"
      case .duplicateKey(let key): "the key \"\(key)\" stands twice in one object"
      case .tooDeep: "nested deeper than \(JSONParser.deepest) levels"
      case .trailingBytes: "bytes after the end of the document"
      }
    return "invalid JSON at byte \(offset): \(what)"
  }
}
