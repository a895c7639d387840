/// Reads one JSON document (RFC 8259) strictly: no duplicate keys, no trailing bytes.
package struct JSONParser: ~Escapable {
  /// The deepest nesting that is read.
  static let deepest = 128

  private let bytes: Span<UInt8>
  private var position = 0
  private var depth = 0

  @_lifetime(copy bytes)
  private init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  /// Reads a document.
  ///
  /// - Parameter bytes: The whole document in UTF-8; white space around it is ignored.
  /// - Returns: The document.
  /// - Throws: ``JSONError`` with the place of the first fault.
  package static func parse(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
    var parser = JSONParser(bytes)
    let value = try parser.value()
    parser.skipWhitespace()
    guard parser.position == bytes.count else { throw parser.error(.trailingBytes) }
    return value
  }

  /// Reads a document from an array of bytes.
  package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
    try parse(bytes.span)
  }

  private func error(_ reason: JSONError.Reason) -> JSONError {
    JSONError(reason: reason, offset: position)
  }

  private mutating func skipWhitespace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  private func peek() throws(JSONError) -> UInt8 {
    guard position < bytes.count else { throw error(.unexpectedEnd) }
    return bytes[position]
  }

  private mutating func value() throws(JSONError) -> JSONValue {
    skipWhitespace()
    switch try peek() {
    case UInt8(ascii: "{"): return .object(try object())
    case UInt8(ascii: "["): return .array(try array())
    case UInt8(ascii: "\""): return .string(try text())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return .number(try number())
    }
  }

  private mutating func word(
    _ expected: StaticString,
    _ value: JSONValue
  ) throws(JSONError) -> JSONValue {
    for byte in "\(expected)".utf8 {
      guard try peek() == byte else { throw error(.unexpectedByte(bytes[position])) }
      position += 1
    }
    return value
  }

  private mutating func descend() throws(JSONError) {
    depth += 1
    guard depth <= Self.deepest else { throw error(.tooDeep) }
    position += 1
    skipWhitespace()
  }

  /// Reads what follows an element: true if another one comes, false at the closing byte.
  private mutating func continues(until closing: UInt8) throws(JSONError) -> Bool {
    skipWhitespace()
    let byte = try peek()
    guard byte == closing || byte == UInt8(ascii: ",") else { throw error(.unexpectedByte(byte)) }
    position += 1
    if byte == closing { depth -= 1 }
    return byte != closing
  }

  private mutating func array() throws(JSONError) -> [JSONValue] {
    try descend()
    var elements: [JSONValue] = []
    if try peek() == UInt8(ascii: "]") {
      position += 1
      depth -= 1
      return elements
    }
    repeat { elements.append(try value()) } while try continues(until: UInt8(ascii: "]"))
    return elements
  }

  private mutating func object() throws(JSONError) -> JSONObject {
    try descend()
    var object = JSONObject()
    if try peek() == UInt8(ascii: "}") {
      position += 1
      depth -= 1
      return object
    }
    repeat {
      skipWhitespace()
      guard try peek() == UInt8(ascii: "\"") else { throw error(.unexpectedByte(bytes[position])) }
      let start = position
      let key = try text()
      skipWhitespace()
      guard try peek() == UInt8(ascii: ":") else { throw error(.unexpectedByte(bytes[position])) }
      position += 1
      guard object[key] == nil else {
        throw JSONError(reason: .duplicateKey(key.string), offset: start)
      }
      object[key] = try value()
    } while try continues(until: UInt8(ascii: "}"))
    return object
  }

  private mutating func number() throws(JSONError) -> JSONNumber {
    let start = position
    var text: [UInt8] = []
    loop: while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
        UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
        text.append(bytes[position])
        position += 1
      default: break loop
      }
    }
    guard !text.isEmpty else { throw error(.unexpectedByte(try peek())) }
    guard Self.isNumber(text) else { throw JSONError(reason: .invalidNumber, offset: start) }
    return JSONNumber(text: String(decoding: text, as: UTF8.self))
  }

  /// Whether the characters follow the grammar of a JSON number.
  private static func isNumber(_ text: [UInt8]) -> Bool {
    var rest = text[...]
    func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    func digits() -> Bool {
      let count = rest.prefix(while: isDigit).count
      rest = rest.dropFirst(count)
      return count > 0
    }
    if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
    if rest.first == UInt8(ascii: "0") { rest.removeFirst() } else if !digits() { return false }
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      guard digits() else { return false }
    }
    if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
      rest.removeFirst()
      if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
      guard digits() else { return false }
    }
    return rest.isEmpty
  }

  private mutating func text() throws(JSONError) -> JSONText {
    let start = position
    position += 1
    var utf8: [UInt8] = []
    var isASCII = true
    while true {
      let byte = try peek()
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        guard isASCII || String(validating: utf8, as: UTF8.self) != nil else {
          throw JSONError(reason: .invalidUTF8, offset: start)
        }
        return JSONText(utf8: utf8)
      case UInt8(ascii: "\\"):
        position += 1
        try escape(into: &utf8)
      case 0..<0x20: throw error(.controlCharacter)
      default:
        if byte >= 0x80 { isASCII = false }
        utf8.append(byte)
        position += 1
      }
    }
  }

  private mutating func escape(into utf8: inout [UInt8]) throws(JSONError) {
    let byte = try peek()
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): utf8.append(byte)
    case UInt8(ascii: "b"): utf8.append(0x08)
    case UInt8(ascii: "f"): utf8.append(0x0C)
    case UInt8(ascii: "n"): utf8.append(0x0A)
    case UInt8(ascii: "r"): utf8.append(0x0D)
    case UInt8(ascii: "t"): utf8.append(0x09)
    case UInt8(ascii: "u"): utf8.append(contentsOf: try String(escapedScalar()).utf8)
    default: throw error(.invalidEscape)
    }
  }

  private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
    let high = try fourDigits()
    guard (0xD800...0xDFFF).contains(high) else {
      guard let scalar = Unicode.Scalar(high) else { throw error(.invalidEscape) }
      return scalar
    }
    guard high < 0xDC00, try peek() == UInt8(ascii: "\\") else { throw error(.invalidEscape) }
    position += 1
    guard try peek() == UInt8(ascii: "u") else { throw error(.invalidEscape) }
    position += 1
    let low = try fourDigits()
    guard (0xDC00...0xDFFF).contains(low),
      let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
    else { throw error(.invalidEscape) }
    return scalar
  }

  private mutating func fourDigits() throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      let byte = try peek()
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
        throw error(.invalidEscape)
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
