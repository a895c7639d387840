package import LinearAlgebra

extension OutputHead {
  /// The mean over positions of the Euclidean distance between the logits of two hidden states.
  ///
  /// - Parameters:
  ///   - hidden: The last block's output, shape `[tokens, hidden]`.
  ///   - reference: Another one of the same tokens.
  /// - Returns: The mean of `‖logits(hidden) − logits(reference)‖₂`, in nats.
  package func logitDistance(
    _ hidden: Matrix<Float>,
    _ reference: Matrix<Float>
  ) -> Double {
    precondition(hidden.rows == reference.rows && hidden.rows > 0, "the same tokens")
    var (first, second) = (HeadSlice(), HeadSlice())
    var total = 0.0
    for start in stride(from: 0, to: hidden.rows, by: positionsAtOnce) {
      let rows = start..<min(hidden.rows, start + positionsAtOnce)
      project(hidden.selecting(rows: rows), in: &first)
      project(reference.selecting(rows: rows), in: &second)
      let (left, right) = (first.logits, second.logits)
      total += concurrentMap(count: rows.count) { row in
        let range = row * left.columns..<(row + 1) * left.columns
        return distance(
          left.storage.span.extracting(range),
          right.storage.span.extracting(range)
        )
      }.reduce(0, +)
    }
    return total / Double(hidden.rows)
  }
}

/// The Euclidean distance of two vectors of equal length.
private func distance(_ left: Span<Float>, _ right: Span<Float>) -> Double {
  precondition(left.count == right.count, "vectors are of one length")
  var sum = 0.0
  for index in left.indices {
    let difference = Double(left[index]) - Double(right[index])
    sum += difference * difference
  }
  return sum.squareRoot()
}
