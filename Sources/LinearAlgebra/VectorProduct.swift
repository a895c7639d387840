import COpenBLAS

/// Computes `result = scale · matrix · vector + keeping · result` on the calling thread.
///
/// - Parameters:
///   - matrix: Shape `[m, n]` as read.
///   - vector: `n` numbers.
///   - scale: The factor of the product.
///   - keeping: The factor of what `result` held; with 0, NaN in it is overwritten.
///   - result: Receives `m` numbers, from its first element on.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
package func multiply<Scalar: BLASScalar>(
  _ matrix: MatrixView<Scalar>,
  by vector: Span<Scalar>,
  scale: Scalar = 1,
  keeping: Scalar = 0,
  into result: inout MutableSpan<Scalar>
) {
  let (m, n) = (matrix.outerExtent, matrix.innerExtent)
  precondition(vector.count == n, "one number for each column")
  precondition(result.count >= m, "the result has room")
  // The library may multiply what is there by zero, which keeps NaN.
  if keeping == 0 { for index in 0..<m { result[index] = 0 } }
  guard m > 0, n > 0 else {
    for index in 0..<m { result[index] *= keeping }
    return
  }
  // SAFETY: the extents of vector and result were checked above, the view's when it was made.
  unsafe matrix.elements.withUnsafeBufferPointer { entries in
    unsafe vector.withUnsafeBufferPointer { factors in
      unsafe result.withUnsafeMutableBufferPointer { target in
        unsafe Scalar.kernels.vectorProduct(
          CblasRowMajor,
          matrix.isTransposed ? CblasTrans : CblasNoTrans,
          Int32(matrix.rows),
          Int32(matrix.columns),
          scale,
          entries.baseAddress,
          Int32(max(1, matrix.stride)),
          factors.baseAddress,
          1,
          keeping == 0 ? 1 : keeping,
          target.baseAddress,
          1
        )
      }
    }
  }
}

/// Computes `result = matrix · vector + keeping · result` on all threads.
///
/// Reading the matrix takes the time. Its rows are handed out in pieces whose size follows from its
/// shape alone, so the result's bits do not depend on the number of threads.
///
/// - Parameters:
///   - matrix: Shape `[m, n]`.
///   - vector: `n` numbers.
///   - keeping: The factor of what `result` held; with 0, NaN in it is overwritten.
///   - result: `m` numbers.
package func multiplyTiled(
  _ matrix: Matrix<Float>,
  by vector: [Float],
  keeping: Float = 0,
  into result: inout [Float]
) {
  precondition(vector.count == matrix.columns, "one number for each column")
  precondition(result.count == matrix.rows, "one result for each row")
  let numbersAtOnce = 1 << 17
  let rows = max(16, (numbersAtOnce / max(1, matrix.columns) + 15) & ~15)
  concurrentChunks(of: &result, size: rows) { index, piece in
    let first = index * rows * matrix.columns
    let count = piece.count * matrix.columns
    multiply(
      MatrixView(
        matrix.elements.extracting(first..<first + count),
        rows: piece.count,
        columns: matrix.columns
      ),
      by: vector.span,
      keeping: keeping,
      into: &piece
    )
  }
}
