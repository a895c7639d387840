extension Matrix {
  /// The sum of `self[r, c] · other[r, c]`, accumulated in double precision.
  ///
  /// Computed on all threads, in pieces of a fixed size whose sums are added in order: the bits do
  /// not depend on the number of threads.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package func inner(_ other: Matrix) -> Double {
    precondition(rows == other.rows && columns == other.columns, "shapes agree")
    let piece = 1 << 16
    let total = storage.count
    guard total > piece else { return innerSum(elements, other.elements) }
    let sums = concurrentMap(count: (total + piece - 1) / piece) { index in
      let range = index * piece..<min(total, (index + 1) * piece)
      return innerSum(elements.extracting(range), other.elements.extracting(range))
    }
    return sums.reduce(0, +)
  }

  /// The square root of the sum of squares of all entries.
  package var frobeniusNorm: Double { inner(self).squareRoot() }
}

/// The sum of products of two equally long spans, in double precision.
@inline(always)
private func innerSum<Scalar: BLASScalar>(_ left: Span<Scalar>, _ right: Span<Scalar>) -> Double {
  // Eight running sums hide the latency of the addition; their order is fixed.
  var sums = SIMD8<Double>(repeating: 0)
  let whole = left.count & ~7
  for start in stride(from: 0, to: whole, by: 8) {
    for lane in 0..<8 {
      sums[lane] += Double(left[start + lane]) * Double(right[start + lane])
    }
  }
  for index in whole..<left.count { sums[0] += Double(left[index]) * Double(right[index]) }
  return sums.sum()
}
