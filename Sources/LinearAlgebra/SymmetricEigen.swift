import COpenBLAS

/// The eigenvalues and eigenvectors of a symmetric matrix: `M = Vᵀ diag(λ) V`, `V Vᵀ = I`.
///
/// Computed on the calling thread, so the bits do not depend on the number of threads.
package struct SymmetricEigen: Sendable {
  /// `λ`, rising.
  package let values: [Double]
  /// `V`: row `k` is the eigenvector of `values[k]`, of length one; shape `[n, n]`.
  package let vectors: Matrix<Double>

  /// Decomposes a matrix, of which only the lower triangle is read.
  ///
  /// - Parameter matrix: Square and symmetric; may be empty.
  /// - Throws: ``FactorizationError/notFinite``, or ``FactorizationError/noConvergence``, which no
  ///   finite matrix is known to cause.
  package init(_ matrix: consuming Matrix<Double>) throws(FactorizationError) {
    precondition(matrix.rows == matrix.columns, "only a square matrix has eigenvalues")
    guard matrix.isFinite else { throw .notFinite }
    var vectors = matrix  // Takes the storage over: the eigenvectors overwrite the matrix.
    let order = vectors.rows
    var values = [Double](repeating: 0, count: order)
    if order > 0 {
      var (work, integers): ([Double], [Int32]) = ([0], [0])
      try vectors.decompose(into: &values, work: &work, integers: &integers, isQuery: true)
      work = [Double](repeating: 0, count: Int(work[0]))
      integers = [Int32](repeating: 0, count: Int(integers[0]))
      try vectors.decompose(into: &values, work: &work, integers: &integers, isQuery: false)
    }
    self.values = values
    self.vectors = vectors
  }
}

extension Matrix<Double> {
  /// Replaces the matrix by its eigenvectors or, asked for sizes, leaves those of the work spaces
  /// in their first entries.
  fileprivate mutating func decompose(
    into values: inout [Double],
    work: inout [Double],
    integers: inout [Int32],
    isQuery: Bool
  ) throws(FactorizationError) {
    precondition(libraryThreadsAreOff, "OpenBLAS is told its thread count before its first use")
    let order = Int32(rows)
    let (workSize, integerSize) = isQuery ? (-1, -1) : (Int32(work.count), Int32(integers.count))
    // A row-major lower triangle is a column-major upper one, and a column-major matrix of
    // eigenvectors has them in our rows.
    // SAFETY: the matrix is square of that order, the values are as many, and the work spaces have
    // the sizes that are passed.
    let info = unsafe storage.withUnsafeMutableBufferPointer { matrix in
      unsafe values.withUnsafeMutableBufferPointer { values in
        unsafe work.withUnsafeMutableBufferPointer { work in
          unsafe integers.withUnsafeMutableBufferPointer { integers in
            unsafe LAPACKE_dsyevd_work(
              LAPACK_COL_MAJOR,
              CChar(UInt8(ascii: "V")),
              CChar(UInt8(ascii: "U")),
              order,
              matrix.baseAddress,
              order,
              values.baseAddress,
              work.baseAddress,
              workSize,
              integers.baseAddress,
              integerSize
            )
          }
        }
      }
    }
    precondition(info >= 0, "LAPACKE_dsyevd rejected its argument \(-info)")
    guard info == 0 else { throw .noConvergence }
  }
}
