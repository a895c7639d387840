/// The kinds of values in a GGUF file's metadata; the raw values are those of the format.
package enum GGUFValueType: UInt32, Sendable, CaseIterable {
  case uint8 = 0
  case int8 = 1
  case uint16 = 2
  case int16 = 3
  case uint32 = 4
  case int32 = 5
  case float32 = 6
  case bool = 7
  case text = 8
  case array = 9
  case uint64 = 10
  case int64 = 11
  case float64 = 12

  /// The fewest bytes that a value of this kind takes in a file.
  var leastByteCount: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64, .text: 8
    case .array: 12
    }
  }
}

/// A value in a GGUF file's metadata.
package enum GGUFValue: Equatable, Sendable {
  case uint8(UInt8)
  case int8(Int8)
  case uint16(UInt16)
  case int16(Int16)
  case uint32(UInt32)
  case int32(Int32)
  case float32(Float)
  case bool(Bool)
  /// Text as bytes, by custom UTF-8.
  case text([UInt8])
  case array(GGUFArray)
  case uint64(UInt64)
  case int64(Int64)
  case float64(Double)

  /// The bytes of a string.
  package static func text(_ string: String) -> GGUFValue { .text(Array(string.utf8)) }

  /// What kind of value this is.
  package var type: GGUFValueType {
    switch self {
    case .uint8: .uint8
    case .int8: .int8
    case .uint16: .uint16
    case .int16: .int16
    case .uint32: .uint32
    case .int32: .int32
    case .float32: .float32
    case .bool: .bool
    case .text: .text
    case .array: .array
    case .uint64: .uint64
    case .int64: .int64
    case .float64: .float64
    }
  }
}

/// Values of one kind; arrays within arrays are not written by anyone, and not read.
package struct GGUFArray: Equatable, Sendable {
  /// The kind of the elements; also known where there are none.
  package let elementType: GGUFValueType
  /// The elements, all of that kind.
  package let elements: [GGUFValue]

  /// Texts.
  package init(texts: [[UInt8]]) {
    elementType = .text
    elements = texts.map { .text($0) }
  }

  /// Signed integers of 32 bits.
  package init(_ integers: [Int32]) {
    elementType = .int32
    elements = integers.map { .int32($0) }
  }

  /// Unsigned integers of 32 bits.
  package init(_ integers: [UInt32]) {
    elementType = .uint32
    elements = integers.map { .uint32($0) }
  }

  /// Numbers of single precision.
  package init(_ numbers: [Float]) {
    elementType = .float32
    elements = numbers.map { .float32($0) }
  }

  /// Elements that are known to be of one kind.
  init(elementType: GGUFValueType, elements: [GGUFValue]) {
    self.elementType = elementType
    self.elements = elements
  }
}

/// A named value of a GGUF file's metadata.
package struct GGUFEntry: Equatable, Sendable {
  /// The name, such as `general.architecture`.
  package let key: String
  /// The value.
  package let value: GGUFValue

  /// Names a value.
  package init(_ key: String, _ value: GGUFValue) {
    self.key = key
    self.value = value
  }
}
