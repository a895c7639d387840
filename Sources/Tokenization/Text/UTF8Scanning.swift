extension Span where Element == UInt8 {
  /// The scalar that begins at `index`, and the number of its bytes.
  ///
  /// The bytes must be valid UTF-8 and `index` the start of a scalar.
  @inline(__always)
  func scalar(at index: Int) -> (value: UInt32, width: Int) {
    let first = UInt32(self[index])
    if first < 0x80 { return (first, 1) }
    let second = UInt32(self[index + 1] & 0x3F)
    if first < 0xE0 { return ((first & 0x1F) << 6 | second, 2) }
    let third = UInt32(self[index + 2] & 0x3F)
    if first < 0xF0 { return ((first & 0x0F) << 12 | second << 6 | third, 3) }
    let fourth = UInt32(self[index + 3] & 0x3F)
    return ((first & 0x07) << 18 | second << 12 | third << 6 | fourth, 4)
  }

  /// The index of the scalar that ends right before `index`.
  func startOfScalar(before index: Int) -> Int {
    var start = index - 1
    while start > 0, self[start] & 0xC0 == 0x80 { start -= 1 }
    return start
  }

  /// Whether `pattern` stands at `index`.
  func hasBytes(_ pattern: [UInt8], at index: Int) -> Bool {
    guard pattern.count <= count - index else { return false }
    for offset in pattern.indices where self[index + offset] != pattern[offset] { return false }
    return true
  }

  /// A copy of the bytes.
  func copied() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    for index in indices { bytes.append(self[index]) }
    return bytes
  }

  /// Refuses bytes that are not UTF-8, naming the first that is wrong.
  func validateUTF8() throws(TokenizationError) {
    do {
      _ = try UTF8Span(validating: self)
    } catch {
      throw .invalidUTF8(offset: error.byteOffsets.lowerBound)
    }
  }
}
