import RealModule

/// Whether no number is NaN or infinite.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
package func isFinite<Scalar: BLASScalar>(_ values: Span<Scalar>) -> Bool {
  // x − x is zero for numbers and NaN for the rest, so one sum answers for all.
  var sum: Scalar = 0
  // SAFETY: the index is one of the span's.
  for index in values.indices {
    let value = unsafe values[unchecked: index]
    sum = Relaxed.sum(sum, value - value)
  }
  return sum == 0
}

extension Matrix {
  /// Whether every entry is a number: neither NaN nor infinite; looked at on all threads.
  package var isFinite: Bool {
    let piece = 1 << 16
    let total = storage.count
    let pieces = concurrentMap(count: (total + piece - 1) / piece) { index in
      LinearAlgebra.isFinite(elements.extracting(index * piece..<min(total, (index + 1) * piece)))
    }
    return pieces.allSatisfy(\.self)
  }
}
