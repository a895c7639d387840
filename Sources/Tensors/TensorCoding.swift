extension ElementType {
  /// Whether ``TensorDescription/floats(from:name:)`` reads it.
  package var isFloatingPoint: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64: true
    default: false
    }
  }

  /// Whether ``TensorDescription/integers(from:name:)`` reads it; truth values are no integers.
  package var isInteger: Bool { self != .bool && !isFloatingPoint }
}

extension TensorDescription {
  /// The number of elements of a shape, or nil if it does not fit in `Int` or an extent is negative.
  package static func checkedCount(_ shape: [Int]) -> Int? {
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else { return nil }
      count = product
    }
    return count
  }

  /// The number of bytes of a tensor, or nil if it does not fit in `Int` or an extent is negative.
  package static func checkedByteCount(_ elementType: ElementType, _ shape: [Int]) -> Int? {
    guard let count = checkedCount(shape) else { return nil }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: elementType.byteCount)
    return overflow ? nil : bytes
  }

  /// The number of bytes; the product was checked for overflow when the file was opened.
  package var byteCount: Int { count * elementType.byteCount }

  /// Reads stored floating-point numbers as single precision.
  ///
  /// - Parameters:
  ///   - bytes: The stored numbers, little-endian; ``byteCount`` bytes.
  ///   - name: The tensor's name, for errors.
  /// - Returns: The numbers; double precision is rounded, all other formats are exact.
  /// - Throws: ``TensorError`` if the elements are no floating-point numbers or the size is wrong.
  package func floats(from bytes: RawSpan, name: TensorName) throws(TensorError) -> [Float] {
    try check(bytes.byteCount, against: byteCount, name)
    return switch elementType {
    case .float32: elements(of: bytes, as: UInt32.self) { Float(bitPattern: $0) }
    case .float16: elements(of: bytes, as: UInt16.self) { HalfPrecision.float(half: $0) }
    case .bfloat16: elements(of: bytes, as: UInt16.self) { HalfPrecision.float(bfloat16: $0) }
    case .float64: elements(of: bytes, as: UInt64.self) { Float(Double(bitPattern: $0)) }
    default: throw .notFloatingPoint(name, elementType)
    }
  }

  /// Reads stored integers.
  ///
  /// - Parameters:
  ///   - bytes: The stored numbers, little-endian; ``byteCount`` bytes.
  ///   - name: The tensor's name, for errors.
  /// - Returns: The numbers.
  /// - Throws: ``TensorError`` if the elements are no integers, one is too large, or the size is
  ///   wrong.
  package func integers(from bytes: RawSpan, name: TensorName) throws(TensorError) -> [Int] {
    try check(bytes.byteCount, against: byteCount, name)
    switch elementType {
    case .uint8: return elements(of: bytes, as: UInt8.self) { Int($0) }
    case .int8: return elements(of: bytes, as: Int8.self) { Int($0) }
    case .int16: return elements(of: bytes, as: Int16.self) { Int($0) }
    case .uint16: return elements(of: bytes, as: UInt16.self) { Int($0) }
    case .int32: return elements(of: bytes, as: Int32.self) { Int($0) }
    case .uint32: return elements(of: bytes, as: UInt32.self) { Int($0) }
    case .int64, .uint64:
      let values = elements(of: bytes, as: Int64.self) { Int($0) }
      guard elementType == .uint64, let index = values.firstIndex(where: { $0 < 0 }) else {
        return values
      }
      throw .integerTooLarge(name, index: index)
    default: throw .notInteger(name, elementType)
    }
  }

  /// Reads stored floating-point numbers as single precision, from an array.
  package func floats(from bytes: [UInt8], name: TensorName) throws(TensorError) -> [Float] {
    // SAFETY: bytes have no padding.
    try unsafe floats(from: bytes.span.bytes, name: name)
  }

  /// Reads stored integers, from an array.
  package func integers(from bytes: [UInt8], name: TensorName) throws(TensorError) -> [Int] {
    // SAFETY: bytes have no padding.
    try unsafe integers(from: bytes.span.bytes, name: name)
  }

  /// The bytes that store given numbers, rounded to nearest with ties to even.
  ///
  /// A negative zero, be it given or made by rounding, is stored as positive zero: some software
  /// counts only the latter as pruned.
  ///
  /// - Parameters:
  ///   - values: The numbers; ``count`` of them.
  ///   - name: The tensor's name, for errors.
  /// - Returns: The numbers in this element type, little-endian.
  /// - Throws: ``TensorError`` if the elements are no floating-point numbers, a number is not finite
  ///   once stored, or their count is wrong.
  package func bytes(of values: [Float], name: TensorName) throws(TensorError) -> [UInt8] {
    try check(values.count, against: count, name)
    let bytes: [UInt8]
    let invalid: Int?
    switch elementType {
    case .float32:
      (bytes, invalid) = encoded(values, exponent: 0x7F80_0000) { $0.bitPattern }
    case .float16: (bytes, invalid) = encoded(values, exponent: 0x7C00) { HalfPrecision.half($0) }
    case .bfloat16:
      (bytes, invalid) = encoded(values, exponent: 0x7F80) { HalfPrecision.bfloat16($0) }
    case .float64:
      (bytes, invalid) = encoded(values, exponent: 0x7FF << 52) { Double($0).bitPattern }
    default: throw .notFloatingPoint(name, elementType)
    }
    if let invalid { throw .notFinite(name, index: invalid, elementType) }
    return bytes
  }

  private func check(
    _ found: Int,
    against expected: Int,
    _ name: TensorName
  ) throws(TensorError) {
    guard found == expected else {
      throw .wrongCount(name, expected: expected, found: found)
    }
  }
}

/// Converts little-endian elements one by one.
@inline(always)
private func elements<Stored: FixedWidthInteger & BitwiseCopyable, Element>(
  of bytes: RawSpan,
  as type: Stored.Type,
  _ convert: (Stored) -> Element
) -> [Element] {
  let size = MemoryLayout<Stored>.size
  let count = bytes.byteCount / size
  return unsafe [Element](unsafeUninitializedCapacity: count) { buffer, initializedCount in
    // SAFETY: `index * size + size <= bytes.byteCount`, and an integer may have any bits; each of
    // the `count` slots is initialized once.
    for index in 0..<count {
      let stored = unsafe bytes.unsafeLoadUnaligned(
        fromUncheckedByteOffset: index &* size,
        as: type
      )
      unsafe (buffer.baseAddress.unsafelyUnwrapped + index)
        .initialize(to: convert(Stored(littleEndian: stored)))
    }
    initializedCount = count
  }
}

/// Stores elements one by one, zeros without a sign.
///
/// - Returns: The bytes, and the first index whose exponent bits are all set (infinite or NaN).
@inline(always)
private func encoded<Stored: FixedWidthInteger & BitwiseCopyable>(
  _ values: [Float],
  exponent: Stored,
  _ convert: (Float) -> Stored
) -> (bytes: [UInt8], invalid: Int?) {
  let size = MemoryLayout<Stored>.size
  let source = values.span
  var specials: Stored = 0
  let sign = Stored(1) << (Stored.bitWidth - 1)
  let bytes = unsafe [UInt8](unsafeUninitializedCapacity: values.count * size) {
    buffer,
    initializedCount in
    // SAFETY: element `index` fills the bytes from `index * size`, all within the capacity.
    let target = UnsafeMutableRawBufferPointer(buffer)
    for index in source.indices {
      var bits = convert(source[index])
      bits = bits & ~sign == 0 ? 0 : bits
      specials |= bits & exponent == exponent ? 1 : 0
      unsafe target.baseAddress.unsafelyUnwrapped.storeBytes(
        of: bits.littleEndian,
        toByteOffset: index &* size,
        as: Stored.self
      )
    }
    initializedCount = source.count * size
  }
  guard specials != 0 else { return (bytes, nil) }
  return (bytes, values.firstIndex { convert($0) & exponent == exponent })
}
