extension ElementType {
  /// Stored numbers with every negative zero made a positive one, the only kind that some software
  /// counts as pruned; all other bits stay. Integers stay as they are.
  ///
  /// - Parameter bytes: Whole elements, little-endian.
  /// - Returns: As many bytes.
  package func withoutNegativeZeros(_ bytes: [UInt8]) -> [UInt8] {
    guard isFloatingPoint else { return bytes }
    var result = bytes
    let (size, sign) = (byteCount, UInt8(0x80))
    for last in stride(from: size - 1, to: result.count, by: size) where result[last] == sign {
      if (last - size + 1..<last).allSatisfy({ result[$0] == 0 }) { result[last] = 0 }
    }
    return result
  }
}
