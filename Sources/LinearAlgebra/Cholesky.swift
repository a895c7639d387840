import COpenBLAS

/// The Cholesky factor `L` of a symmetric positive definite matrix `M = L Lᵀ`.
///
/// Computed in blocks, on all threads; the blocks depend on the order alone, so the factor's bits
/// do not depend on the number of threads.
package struct Cholesky: Sendable {
  /// `L`, zero above the diagonal; shape `[n, n]`.
  package let factor: Matrix<Double>

  /// The number of rows of the matrix.
  package var order: Int { factor.rows }

  /// The rows that one step factorises before the rest is brought up to date.
  private static let blockSize = 256

  /// Factorises a matrix, of which only the lower triangle is read.
  ///
  /// - Parameter matrix: Square and symmetric; may be empty.
  /// - Throws: ``FactorizationError`` if it is not finite or not positive definite.
  package init(_ matrix: consuming Matrix<Double>) throws(FactorizationError) {
    precondition(matrix.rows == matrix.columns, "Cholesky needs a square matrix")
    guard matrix.isFinite else { throw .notFinite }
    var factor = matrix  // Takes the storage over: no second copy of a large matrix.
    let order = factor.rows
    for start in stride(from: 0, to: order, by: Self.blockSize) {
      let end = min(order, start + Self.blockSize)
      try factor.factoriseDiagonalBlock(start..<end)
      factor.solvePanel(below: start..<end)
      factor.updateTrailing(after: start..<end)
    }
    factor.clearAboveDiagonal()
    self.factor = factor
  }
}

extension Matrix<Double> {
  /// Replaces the lower triangle of one diagonal block by its Cholesky factor.
  fileprivate mutating func factoriseDiagonalBlock(
    _ range: Range<Int>
  ) throws(FactorizationError) {
    precondition(libraryThreadsAreOff, "OpenBLAS is told its thread count before its first use")
    let order = rows
    // A row-major lower triangle is a column-major upper one; asking for that spares
    // LAPACKE the transposed copy it makes for row-major input.
    // SAFETY: the block lies within the matrix, whose rows are `order` apart.
    let info = unsafe storage.withUnsafeMutableBufferPointer { buffer in
      unsafe LAPACKE_dpotrf_work(
        LAPACK_COL_MAJOR,
        CChar(UInt8(ascii: "U")),
        Int32(range.count),
        buffer.baseAddress.map { unsafe $0 + range.lowerBound * (order + 1) },
        Int32(order)
      )
    }
    guard info == 0 else {
      precondition(info > 0, "LAPACKE_dpotrf rejected its argument \(-info)")
      throw .notPositiveDefinite(order: range.lowerBound + Int(info))
    }
  }

  /// Solves `X Lᵀ = B` for the rows below a factorised diagonal block, in place.
  fileprivate mutating func solvePanel(below range: Range<Int>) {
    let order = rows
    let chunk = 128
    let first = range.upperBound
    guard first < order else { return }
    // SAFETY: each chunk of rows is written by one call; the diagonal block is only read.
    unsafe storage.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let base = buffer.baseAddress
      concurrently(count: (order - first + chunk - 1) / chunk) { index in
        let top = first + index * chunk
        unsafe Double.kernels.triangularSolve(
          CblasRowMajor,
          CblasRight,
          CblasLower,
          CblasTrans,
          CblasNonUnit,
          Int32(min(order, top + chunk) - top),
          Int32(range.count),
          1,
          base.map { unsafe UnsafePointer($0 + range.lowerBound * (order + 1)) },
          Int32(order),
          base.map { unsafe $0 + top * order + range.lowerBound },
          Int32(order)
        )
      }
    }
  }

  /// Subtracts `panel · panelᵀ` from the lower triangle to the right of a factorised panel.
  fileprivate mutating func updateTrailing(after range: Range<Int>) {
    let order = rows
    let first = range.upperBound
    let edge = 256
    let side = (order - first + edge - 1) / edge
    guard side > 0 else { return }
    // SAFETY: tiles of different indices do not overlap; the panel left of them is only read.
    unsafe storage.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let base = buffer.baseAddress
      concurrently(count: side * (side + 1) / 2) { index in
        let (row, column) = lowerTrianglePosition(index)
        let top = first + row * edge
        let left = first + column * edge
        unsafe Double.kernels.product(
          CblasRowMajor,
          CblasNoTrans,
          CblasTrans,
          Int32(min(order, top + edge) - top),
          Int32(min(order, left + edge) - left),
          Int32(range.count),
          -1,
          base.map { unsafe UnsafePointer($0 + top * order + range.lowerBound) },
          Int32(order),
          base.map { unsafe UnsafePointer($0 + left * order + range.lowerBound) },
          Int32(order),
          1,
          base.map { unsafe $0 + top * order + left },
          Int32(order)
        )
      }
    }
  }

  fileprivate mutating func clearAboveDiagonal() {
    for row in 0..<rows {
      for column in row + 1..<max(columns, row + 1) { self[row, column] = 0 }
    }
  }
}
