/// The most parts that ``multiplySplit(_:_:into:)`` divides a product into; each takes a result of its own.
package let largestSplit = 16

/// Computes `result = left · right` on all threads by parts of the inner extent, each of which makes
/// a whole result of its own; these are summed in order.
///
/// For products whose inner extent is far greater than their result, such as the way back through
/// the output head: tiles of so small a result would read both factors many times. The parts depend on
/// the shape alone, so the bits do not depend on the number of threads.
///
/// - Parameters:
///   - left: Shape `[m, k]`.
///   - right: Shape `[k, n]`.
///   - result: Shape `[m, n]`.
package func multiplySplit(
  _ left: Matrix<Float>,
  _ right: Matrix<Float>,
  into result: inout Matrix<Float>
) {
  let (m, n, inner) = (left.rows, right.columns, left.columns)
  precondition(right.rows == inner, "inner extents agree")
  precondition(result.rows == m && result.columns == n, "the result has its shape")
  // Parts are no thinner than the result is wide: else summing them would cost more than it saves.
  let parts = min(largestSplit, inner / max(1, m, n))
  guard parts > 1, m > 0, n > 0 else { return multiplyTiled(left.view, right.view, into: &result) }
  let size = (inner + parts - 1) / parts
  let sums = concurrentMap(count: parts) { part in
    let range = min(inner, part * size)..<min(inner, (part + 1) * size)
    return product(left, right, over: range)
  }
  let piece = max(1, (m * n + parts - 1) / parts)
  concurrentChunks(of: &result.storage, size: piece) { index, entries in
    for entry in entries.indices { entries[entry] = 0 }
    for sum in sums {
      let terms = sum.span.extracting(index * piece..<index * piece + entries.count)
      for entry in terms.indices { entries[entry] += terms[entry] }
    }
  }
}

/// The product over a part of the inner extent, on the calling thread.
private func product(
  _ left: Matrix<Float>,
  _ right: Matrix<Float>,
  over range: Range<Int>
) -> [Float] {
  let (m, n) = (left.rows, right.columns)
  var sum = [Float](repeating: 0, count: m * n)
  guard !range.isEmpty else { return sum }
  let width = left.columns
  var entries = sum.mutableSpan
  multiply(
    MatrixView(
      left.elements.extracting(range.lowerBound..<(m - 1) * width + range.upperBound),
      rows: m,
      columns: range.count,
      stride: width
    ),
    MatrixView(
      right.elements.extracting(range.lowerBound * n..<range.upperBound * n),
      rows: range.count,
      columns: n
    ),
    into: &entries
  )
  return sum
}
