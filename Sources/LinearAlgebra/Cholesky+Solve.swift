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

  /// `B C M⁻¹`, in the order that takes fewer operations.
  ///
  /// - Parameters:
  ///   - left: `B`, shape `[m, k]` as read.
  ///   - middle: `C`, shape `[k, n]`.
  /// - Returns: Shape `[m, n]`.
  package func solveFromRight(
    _ left: MatrixView<Double>,
    _ middle: consuming Matrix<Double>
  ) -> Matrix<Double> {
    var result = Matrix<Double>(rows: left.outerExtent, columns: order)
    // Triangles are solved for as many rows as there are, of `C` or of the product.
    let isProductLast = middle.rows <= left.outerExtent
    if isProductLast { solveFromRight(&middle) }
    multiplyTiled(left, middle.view, into: &result)
    if !isProductLast { solveFromRight(&result) }
    return result
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

  /// The diagonal of `M⁻¹`, without the rest of it: no second matrix is made.
  package func inverseDiagonal() -> [Double] {
    let chunk = Self.rowsPerChunk
    let sums = concurrentMap(count: (order + chunk - 1) / chunk) { index in
      let first = index * chunk
      let rows = inverseHalfRows(first..<min(order, first + chunk))
      return (first..<min(order, first + chunk)).map { row in
        let start = (row - first) * order
        var sum = 0.0
        for index in start + row..<start + order { sum += rows[index] * rows[index] }
        return sum
      }
    }
    return sums.flatMap(\.self)
  }

  /// The entries of `M⁻¹` within ranges of consecutive rows and columns, without the rest of it.
  ///
  /// - Parameter ranges: Each within `0..<n`.
  /// - Returns: For each range the square matrix of its rows and columns, exactly symmetric.
  package func inverseBlocks(_ ranges: [Range<Int>]) -> [Matrix<Double>] {
    let half = inverseHalf()
    return concurrentMap(count: ranges.count) { index in
      let range = ranges[index]
      precondition(range.lowerBound >= 0 && range.upperBound <= order, "a range within the matrix")
      var block = Matrix<Double>(rows: range.count, columns: range.count)
      for i in range {
        for j in range.lowerBound...i {
          var sum = 0.0
          for k in i..<order { sum += half.storage[i * order + k] * half.storage[j * order + k] }
          block[i - range.lowerBound, j - range.lowerBound] = sum
        }
      }
      mirrorLowerTriangle(of: &block)
      return block
    }
  }

  /// The rows of `L⁻ᵀ` that are computed at a time.
  private static var rowsPerChunk: Int { 64 }

  /// Some rows of `L⁻ᵀ`, row by row; a whole chunk, or what is left for the last one.
  private func inverseHalfRows(_ range: Range<Int>) -> [Double] {
    var rows = [Double](repeating: 0, count: range.count * order)
    for row in range { rows[(row - range.lowerBound) * order + row] = 1 }
    var span = rows.mutableSpan
    solveRows(&span, from: range.lowerBound, transposed: true)
    return rows
  }

  /// `L⁻ᵀ`, upper triangular.
  private func inverseHalf() -> Matrix<Double> {
    let chunk = Self.rowsPerChunk
    var half = Matrix<Double>.identity(order)
    guard order > 0 else { return half }
    // Row i of the result is zero left of the diagonal: only what lies below L's row i matters.
    concurrentChunks(of: &half.storage, size: chunk * order) { index, rows in
      solveRows(&rows, from: index * chunk, transposed: true)
    }
    return half
  }

  /// Solves `X L = B` or, transposed, `X Lᵀ = B` for some rows of `B`, in place.
  ///
  /// With `first` above zero, the unknowns before it are taken to be zero.
  private func solveRows(
    _ rows: inout MutableSpan<Double>,
    from first: Int = 0,
    transposed: Bool
  ) {
    let count = rows.count / order
    // SAFETY: `rows` holds `count` rows of `order` entries; the factor is square of that order;
    // both start `first` entries later along their diagonal or row and keep their stride.
    unsafe factor.storage.withUnsafeBufferPointer { triangle in
      unsafe rows.withUnsafeMutableBufferPointer { buffer in
        unsafe Double.kernels.triangularSolve(
          CblasRowMajor,
          CblasRight,
          CblasLower,
          transposed ? CblasTrans : CblasNoTrans,
          CblasNonUnit,
          Int32(count),
          Int32(order - first),
          1,
          triangle.baseAddress.map { unsafe $0 + first * (order + 1) },
          Int32(order),
          buffer.baseAddress.map { unsafe $0 + first },
          Int32(order)
        )
      }
    }
  }
}
