extension JSONValue {
  /// The members, if this is an object.
  package var object: JSONObject? {
    if case .object(let object) = self { object } else { nil }
  }
  /// The elements, if this is an array.
  package var array: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }
  /// The text, if this is a string.
  package var text: JSONText? {
    if case .string(let text) = self { text } else { nil }
  }
  /// The text as a Swift string, if this is a string.
  package var string: String? { text?.string }
  /// The value, if this is true or false.
  package var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }
  /// The value, if this is a number written as an integer.
  package var integer: Int? {
    if case .number(let number) = self { number.integer } else { nil }
  }
  /// The value, if this is a number that a double can hold; one like `1e999` is nil, not infinite.
  package var double: Double? {
    if case .number(let number) = self, number.double.isFinite { number.double } else { nil }
  }
  /// Whether this is `null`.
  package var isNull: Bool { self == .null }
  /// The member of that name, if this is an object that has one.
  package subscript(key: JSONText) -> JSONValue? { object?[key] }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// A string.
  package init(stringLiteral text: String) { self = .string(JSONText(text)) }
  /// An integer.
  package init(integerLiteral value: Int) { self = .number(JSONNumber(value)) }
  /// True or false.
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  /// An array.
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  /// An object whose members are in the order of the literal.
  package init(dictionaryLiteral members: (String, JSONValue)...) {
    var object = JSONObject()
    for (key, value) in members { object[JSONText(key)] = value }
    self = .object(object)
  }
  /// A string.
  package init(_ text: String) { self = .string(JSONText(text)) }
  /// An integer.
  package init(_ value: Int) { self = .number(JSONNumber(value)) }
  /// A number; one that JSON cannot hold becomes `null`.
  package init(_ value: Double) { self = value.isFinite ? .number(JSONNumber(value)) : .null }
}
