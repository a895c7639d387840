internal import ExactJSON

/// A value of a JSON file that knows where it stands, for messages.
struct JSONNode {
  let value: JSONValue
  /// The keys that lead to the value, joined by dots.
  let path: String
  /// The name of the file.
  let file: String

  /// Reads a file's bytes.
  static func parse(_ bytes: [UInt8], file: String) throws(TokenizationError) -> JSONNode {
    do {
      return JSONNode(value: try JSONParser.parse(bytes), path: "", file: file)
    } catch {
      throw .malformedJSON(file: file, error)
    }
  }

  private func child(_ value: JSONValue, _ name: String) -> JSONNode {
    JSONNode(value: value, path: path.isEmpty ? name : "\(path).\(name)", file: file)
  }

  /// The error that says what this value must be.
  func mismatch(_ expected: String) -> TokenizationError {
    .unexpectedValue(path: path, file: file, expected: expected)
  }

  /// Whether the value is an object.
  var isObject: Bool { value.object != nil }

  /// The member of an object; nil if it is absent or `null`.
  func optional(_ key: String) throws(TokenizationError) -> JSONNode? {
    guard let object = value.object else { throw mismatch("an object") }
    guard let member = object[JSONText(key)], !member.isNull else { return nil }
    return child(member, key)
  }

  /// The member of an object.
  func member(_ key: String) throws(TokenizationError) -> JSONNode {
    guard let node = try optional(key) else {
      throw .missing(path: path.isEmpty ? key : "\(path).\(key)", file: file)
    }
    return node
  }

  /// The members of an object, in order.
  func members() throws(TokenizationError) -> [(key: TokenBytes, node: JSONNode)] {
    guard let object = value.object else { throw mismatch("an object") }
    return object.members.map { key, value in
      (TokenBytes(utf8: key.utf8), child(value, key.string))
    }
  }

  /// The elements of an array.
  func elements() throws(TokenizationError) -> [JSONNode] {
    guard let elements = value.array else { throw mismatch("an array") }
    return elements.enumerated().map { child($1, "\($0)") }
  }

  /// The value, if it is a string.
  func text() throws(TokenizationError) -> TokenBytes {
    guard let text = value.text else { throw mismatch("a string") }
    return TokenBytes(utf8: text.utf8)
  }

  /// The value, if it is a string of at least one byte.
  func filledText() throws(TokenizationError) -> TokenBytes {
    let text = try text()
    guard !text.utf8.isEmpty else { throw mismatch("a string that is not empty") }
    return text
  }

  /// The value, if it is true or false.
  func flag() throws(TokenizationError) -> Bool {
    guard let flag = value.bool else { throw mismatch("true or false") }
    return flag
  }

  /// The value, if it is an integer.
  func integer() throws(TokenizationError) -> Int {
    guard let integer = value.integer else { throw mismatch("an integer") }
    return integer
  }

  /// A member that is true or false.
  func flag(_ key: String) throws(TokenizationError) -> Bool { try member(key).flag() }

  /// A member that is true or false, and its meaning if it is absent.
  func flag(_ key: String, default meaning: Bool) throws(TokenizationError) -> Bool {
    try optional(key)?.flag() ?? meaning
  }

  /// The name of a component: its member `type`.
  func type() throws(TokenizationError) -> String { try member("type").text().string }
}
