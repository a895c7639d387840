/// A JSON document as a tree that keeps what it read: byte-exact keys, their order, and numbers
/// as they were written.
///
/// `String` compares canonically equal text as equal; keys here are compared byte by byte, because
/// vocabularies and tensor names hold pairs that differ in nothing else.
package indirect enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case number(JSONNumber)
  case string(JSONText)
  case array([JSONValue])
  case object(JSONObject)
}

/// Text as UTF-8 bytes, compared byte by byte.
package struct JSONText: Hashable, Sendable, ExpressibleByStringLiteral {
  /// The UTF-8 bytes, escapes resolved.
  package let utf8: [UInt8]

  /// Takes UTF-8 bytes as they are.
  package init(utf8: [UInt8]) { self.utf8 = utf8 }
  /// The UTF-8 bytes of a string.
  package init(_ text: String) { utf8 = Array(text.utf8) }
  /// The UTF-8 bytes of a literal.
  package init(stringLiteral text: String) { self.init(text) }
  /// The text as a Swift string.
  package var string: String { String(decoding: utf8, as: UTF8.self) }
}

extension JSONText: Comparable {
  /// Orders by bytes.
  package static func < (left: JSONText, right: JSONText) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }
}

/// A number with the characters that stood in the document.
package struct JSONNumber: Equatable, Sendable {
  /// The characters, a valid JSON number.
  package let text: String

  /// A number that was read; `text` is a valid JSON number.
  init(text: String) { self.text = text }
  /// An integer.
  package init(_ value: Int) { text = String(value) }
  /// A finite number, in the shortest form that reads back the same.
  package init(_ value: Double) {
    precondition(value.isFinite, "JSON has no NaN and no infinity")
    text = "\(value)"
  }

  /// The value, if it was written as an integer (no fraction, no exponent) and fits.
  package var integer: Int? { Int(text) }
  /// The value as the nearest double.
  package var double: Double { Double(text) ?? .nan }
}

/// The members of a JSON object in the order they were written.
package struct JSONObject: Equatable, Sendable {
  /// Keys and values in order; keys are unique.
  package private(set) var members: [(key: JSONText, value: JSONValue)] = []
  private var positions: [JSONText: Int] = [:]

  /// An object without members.
  package init() {}

  /// The value of a key; setting an existing key keeps its place, a new one goes last.
  package subscript(key: JSONText) -> JSONValue? {
    get { positions[key].map { members[$0].value } }
    set {
      switch (positions[key], newValue) {
      case (let position?, let value?): members[position].value = value
      case (nil, let value?):
        positions[key] = members.count
        members.append((key, value))
      case (_?, nil):
        members.removeAll { $0.key == key }
        positions = [:]
        for (index, member) in members.enumerated() { positions[member.key] = index }
      case (nil, nil): break
      }
    }
  }

  /// Two objects are equal when they hold the same members in the same order.
  package static func == (left: JSONObject, right: JSONObject) -> Bool {
    left.members.elementsEqual(right.members) { $0.key == $1.key && $0.value == $1.value }
  }
}
