internal import Tensors

/// Reads values one after the other; nothing is believed before the file was found long enough.
struct GGUFReader {
  private let file: MappedFile
  /// Where the next value begins.
  var position = 0

  /// Reads from the start of a file.
  init(_ file: MappedFile) { self.file = file }

  private var remaining: Int { file.count - position }

  /// The next bytes.
  private mutating func bytes(_ count: Int) throws(GGUFFault) -> [UInt8] {
    guard count <= remaining else { throw GGUFFault(.truncatedHeader) }
    defer { position += count }
    return file.copy(position..<position + count)
  }

  /// A little-endian integer.
  mutating func integer<Value: FixedWidthInteger>(
    _ type: Value.Type
  ) throws(GGUFFault) -> Value {
    try bytes(MemoryLayout<Value>.size).reversed().reduce(0) {
      $0 << 8 | Value(truncatingIfNeeded: $1)
    }
  }

  /// A count of things that take at least so many bytes each.
  mutating func count(leastByteCount: Int) throws(GGUFFault) -> Int {
    let count = try integer(UInt64.self)
    guard count <= UInt64(remaining / leastByteCount) else { throw GGUFFault(.truncatedHeader) }
    return Int(count)
  }

  /// A text: its length and its bytes.
  mutating func text() throws(GGUFFault) -> [UInt8] { try bytes(count(leastByteCount: 1)) }

  /// A metadata value with its kind.
  mutating func value(key: String) throws(GGUFFault) -> GGUFValue {
    let type = try valueType(key: key)
    guard type == .array else { return try value(type, key: key) }
    let elementType = try valueType(key: key)
    guard elementType != .array else {
      throw GGUFFault(.unknownValueType(key: key, elementType.rawValue))
    }
    let count = try count(leastByteCount: elementType.leastByteCount)
    var elements: [GGUFValue] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try value(elementType, key: key)) }
    return .array(GGUFArray(elementType: elementType, elements: elements))
  }

  private mutating func valueType(key: String) throws(GGUFFault) -> GGUFValueType {
    let number = try integer(UInt32.self)
    guard let type = GGUFValueType(rawValue: number) else {
      throw GGUFFault(.unknownValueType(key: key, number))
    }
    return type
  }

  private mutating func value(
    _ type: GGUFValueType,
    key: String
  ) throws(GGUFFault) -> GGUFValue {
    switch type {
    case .uint8: return .uint8(try integer(UInt8.self))
    case .int8: return .int8(try integer(Int8.self))
    case .uint16: return .uint16(try integer(UInt16.self))
    case .int16: return .int16(try integer(Int16.self))
    case .uint32: return .uint32(try integer(UInt32.self))
    case .int32: return .int32(try integer(Int32.self))
    case .float32: return .float32(Float(bitPattern: try integer(UInt32.self)))
    case .bool:
      let number = try integer(UInt8.self)
      guard number <= 1 else { throw GGUFFault(.invalidBool(key: key)) }
      return .bool(number == 1)
    case .text: return .text(try text())
    case .uint64: return .uint64(try integer(UInt64.self))
    case .int64: return .int64(try integer(Int64.self))
    case .float64: return .float64(Double(bitPattern: try integer(UInt64.self)))
    case .array: throw GGUFFault(.unknownValueType(key: key, type.rawValue))
    }
  }
}
