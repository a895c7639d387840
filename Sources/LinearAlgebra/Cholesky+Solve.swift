import COpenBLAS

extension Cholesky {
  /// Solves `M X = B`.
  ///
  /// - Parameter rightHandSides: `B`, shape `[n, k]`; becomes `X`.
  package func solve(_ rightHandSides: inout Matrix<Double>) {
    precondition(rightHandSides.rows == order, "one row for each unknown")
    var transposed = rightHandSides.transposed()
    solveFromRight(&transposed)
    rightHandSides = transposed.transposed()
  }

  /// Solves `X M = B`.
  ///
  /// - Parameter rightHandSides: `B`, shape `[k, n]`; becomes `X`.
  package func solveFromRight(_ rightHandSides: inout Matrix<Double>) {
    precondition(rightHandSides.columns == order, "one column for each unknown")
    guard order > 0 else { return }
    // X L Lᵀ = B: first Y Lᵀ = B, then X L = Y; the rows of B are independent.
    let chunk = max(1, min(64, (rightHandSides.rows + 3) / 4))
    concurrentChunks(of: &rightHandSides.storage, size: chunk * order) { _, rows in
      solveRows(&rows, transposed: true)
      solveRows(&rows, transposed: false)
    }
  }

  /// Solves `M x = b` for one right-hand side.
  package func solve(_ rightHandSide: [Double]) -> [Double] {
    var row = Matrix(rows: 1, columns: order, storage: rightHandSide)
    solveFromRight(&row)
    return row.storage
  }

  /// `M⁻¹`, exactly symmetric; shape `[n, n]`.
  package func inverse() -> Matrix<Double> {
    // M⁻¹ = L⁻ᵀ L⁻¹, and X = L⁻ᵀ solves X Lᵀ = I.
    let half = inverseHalf()
    var result = Matrix<Double>(rows: order, columns: order)
    addGram(of: half.transposedView, to: &result)
    mirrorLowerTriangle(of: &result)
    return result
  }

  /// The diagonal of `M⁻¹`, without the rest of it.
  package func inverseDiagonal() -> [Double] {
    let half = inverseHalf()
    return (0..<order).map { row in
      let entries = half.storage[row * order..<(row + 1) * order]
      return entries.reduce(0) { $0 + $1 * $1 }
    }
  }

  /// `L⁻ᵀ`, upper triangular.
  private func inverseHalf() -> Matrix<Double> {
    var half = Matrix<Double>.identity(order)
    guard order > 0 else { return half }
    concurrentChunks(of: &half.storage, size: 64 * order) { _, rows in
      solveRows(&rows, transposed: true)
    }
    return half
  }

  /// Solves `X L = B` or, transposed, `X Lᵀ = B` for some rows of `B`, in place.
  private func solveRows(_ rows: inout MutableSpan<Double>, transposed: Bool) {
    let count = rows.count / order
    // SAFETY: `rows` holds `count` rows of `order` entries; the factor is square of that order.
    unsafe factor.storage.withUnsafeBufferPointer { triangle in
      unsafe rows.withUnsafeMutableBufferPointer { buffer in
        unsafe Double.kernels.triangularSolve(
          CblasRowMajor,
          CblasRight,
          CblasLower,
          transposed ? CblasTrans : CblasNoTrans,
          CblasNonUnit,
          Int32(count),
          Int32(order),
          1,
          triangle.baseAddress,
          Int32(order),
          buffer.baseAddress,
          Int32(order)
        )
      }
    }
  }
}
