import ExactJSON

/// Reads the members of one JSON object by name and type.
struct ObjectReader {
  private let object: JSONObject
  private let path: String

  /// Takes an object whose members are all in `keys`.
  ///
  /// - Parameters:
  ///   - value: What should be an object.
  ///   - path: Its place in the document, for messages; empty for the document itself.
  ///   - keys: The names that its members may have.
  /// - Throws: ``ReportError`` if it is no object or has other members.
  init(_ value: JSONValue, at path: String, keys: Set<JSONText>) throws(ReportError) {
    guard let object = value.object else {
      throw .wrongType(path: path.isEmpty ? "(document)" : path, expected: "an object")
    }
    self.object = object
    self.path = path
    for (key, _) in object.members where !keys.contains(key) {
      throw .unknownMember(path: place(of: key))
    }
  }

  /// The place of a member in the document.
  func place(of key: JSONText) -> String {
    path.isEmpty ? key.string : "\(path).\(key.string)"
  }

  func optional(_ key: JSONText) -> JSONValue? { object[key] }

  func value(_ key: JSONText) throws(ReportError) -> JSONValue {
    guard let value = object[key] else { throw .missing(path: place(of: key)) }
    return value
  }

  func text(_ key: JSONText) throws(ReportError) -> String {
    guard let text = try value(key).string else { throw wrong(key, "text") }
    return text
  }

  func flag(_ key: JSONText) throws(ReportError) -> Bool {
    guard let flag = try value(key).bool else { throw wrong(key, "true or false") }
    return flag
  }

  func integer(_ key: JSONText) throws(ReportError) -> Int {
    guard let integer = try value(key).integer else { throw wrong(key, "an integer") }
    return integer
  }

  /// A size of a matrix: at least 1 and small enough for two to multiply.
  func size(_ key: JSONText) throws(ReportError) -> Int {
    let size = try integer(key)
    try Check.integer(size, in: 1...Check.largest, place(of: key))
    return size
  }

  func number(_ key: JSONText) throws(ReportError) -> Double {
    guard let number = try value(key).double else { throw wrong(key, "a number") }
    return number
  }

  func optionalNumber(_ key: JSONText) throws(ReportError) -> Double? {
    try optional(key) == nil ? nil : number(key)
  }

  func choice<Choice>(_ key: JSONText, of _: Choice.Type) throws(ReportError) -> Choice
  where Choice: RawRepresentable<String> & CaseIterable {
    guard let choice = Choice(rawValue: try text(key)) else {
      let choices = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
      throw wrong(key, "one of \(choices)")
    }
    return choice
  }

  /// The elements of a list, each read by `read` from its value and its place.
  func list<Element>(
    _ key: JSONText,
    _ read: (JSONValue, String) throws(ReportError) -> Element
  ) throws(ReportError) -> [Element] {
    guard let values = try value(key).array else { throw wrong(key, "a list") }
    var elements: [Element] = []
    for (index, value) in values.enumerated() {
      elements.append(try read(value, "\(place(of: key))[\(index)]"))
    }
    return elements
  }

  /// Reads a member that is an object.
  func object(_ key: JSONText, keys: Set<JSONText>) throws(ReportError) -> ObjectReader {
    try ObjectReader(try value(key), at: place(of: key), keys: keys)
  }

  /// Reads a member that is a list of whole numbers.
  func integers(_ key: JSONText) throws(ReportError) -> [Int] {
    try list(key) { (value, path) throws(ReportError) -> Int in
      guard let number = value.integer else {
        throw .wrongType(path: path, expected: "an integer")
      }
      return number
    }
  }

  private func wrong(_ key: JSONText, _ expected: String) -> ReportError {
    .wrongType(path: place(of: key), expected: expected)
  }
}
