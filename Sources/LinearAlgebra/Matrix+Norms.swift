extension Matrix {
  /// The sum of `self[r, c] · other[r, c]`, accumulated in double precision in storage order.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package func inner(_ other: Matrix) -> Double {
    precondition(rows == other.rows && columns == other.columns, "shapes agree")
    let left = elements
    let right = other.elements
    // Four running sums hide the latency of the addition; their order is fixed.
    var sums = SIMD4<Double>(repeating: 0)
    let whole = left.count & ~3
    for start in stride(from: 0, to: whole, by: 4) {
      for lane in 0..<4 {
        sums[lane] += asDouble(left[start + lane]) * asDouble(right[start + lane])
      }
    }
    for index in whole..<left.count { sums[0] += asDouble(left[index]) * asDouble(right[index]) }
    return sums.sum()
  }

  /// The square root of the sum of squares of all entries.
  package var frobeniusNorm: Double { inner(self).squareRoot() }

  /// Whether every entry is a number: neither NaN nor infinite.
  @inlinable
  package var isFinite: Bool {
    let entries = elements
    for index in entries.indices where !entries[index].isFinite { return false }
    return true
  }
}

@inline(always)
private func asDouble<Scalar: BLASScalar>(_ value: Scalar) -> Double {
  if let value = value as? Double { return value }
  if let value = value as? Float { return Double(value) }
  preconditionFailure("BLAS computes with Float and Double alone")
}
