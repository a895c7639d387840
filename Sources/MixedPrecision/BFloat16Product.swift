package import LinearAlgebra

/// Computes `result = left · right + keeping · result` of factors in bfloat16, with products and sums in
/// single precision, and adds a vector to each row; on all threads.
///
/// With oneDNN this is its matrix product; without, that of the widened factors. The result is cut into
/// tiles by its shape alone, so its bits do not depend on the number of threads.
///
/// - Parameters:
///   - left: Shape `[m, k]`; rounded to bfloat16 first.
///   - right: Shape `[k, n]`, or `[n, k]` if it is transposed.
///   - isTransposed: Whether `right` is read with rows and columns exchanged.
///   - keeping: The factor of what `result` held; with 0, NaN in it is overwritten.
///   - offset: `n` numbers; nil adds nothing.
///   - result: Shape `[m, n]`.
package func multiply(
  _ left: Matrix<Float>,
  _ right: BFloat16Matrix,
  isTransposed: Bool,
  keeping: Float = 0,
  adding offset: [Float]? = nil,
  into result: inout Matrix<Float>
) {
  let (inner, outer) =
    isTransposed ? (right.columns, right.rows) : (right.rows, right.columns)
  precondition(left.columns == inner, "inner extents agree")
  precondition(result.rows == left.rows, "the result has the rows of the left factor")
  precondition(result.columns == outer, "the result has the columns of the right factor")
  precondition(offset.map { $0.count == outer } ?? true, "one number for each column")
  let rounded = BFloat16Matrix(rounding: left)
  #if OneDNN
    if let product = OneDNNProduct(rounded, right, isTransposed: isTransposed, keeping: keeping) {
      product.compute(into: &result)
      return addToRows(offset, of: &result)
    }
  #endif
  let wide = right.widened
  multiplyTiled(
    rounded.widened.view,
    isTransposed ? wide.transposedView : wide.view,
    keeping: keeping,
    adding: offset,
    into: &result
  )
}

#if OneDNN
  /// Adds a vector to each row of a matrix.
  private func addToRows(_ vector: [Float]?, of matrix: inout Matrix<Float>) {
    guard let vector, !vector.isEmpty else { return }
    let rowsAtOnce = max(1, (1 << 16) / vector.count)
    concurrentChunks(of: &matrix.storage, size: rowsAtOnce * vector.count) { _, rows in
      for start in stride(from: 0, to: rows.count, by: vector.count) {
        for column in vector.indices { rows[start + column] += vector[column] }
      }
    }
  }
#endif
