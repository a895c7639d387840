extension Cholesky {
  /// The columns of `L` that are multiplied at a time.
  private static var columnsPerPanel: Int { 256 }

  /// The vectors that a panel is multiplied with at a time: enough that its copy costs little beside
  /// the product, and few enough that the first panel, the longest, keeps no thread waiting.
  private static var vectorsPerChunk: Int { 512 }

  /// `x M xᵀ = ‖x L‖²` for each row `x` of a matrix.
  ///
  /// Takes half the operations of a product with `M`, because `L` is a triangle, and keeps no product.
  ///
  /// - Parameter matrix: Shape `[m, n]`; its products with `L` are in single precision.
  /// - Returns: One number for each row.
  package func quadraticForms(ofRowsOf matrix: Matrix<Float>) -> [Double] {
    precondition(matrix.columns == order, "one column for each column")
    return sumsOverPanels(count: matrix.rows) { rows, columns, panel in
      let first = rows.lowerBound * order + columns.lowerBound
      let tails = MatrixView(
        matrix.elements.extracting(first..<matrix.elements.count),
        rows: rows.count,
        columns: panel.rows,
        stride: order
      )
      let images = product(tails, panel.view)
      let entries = images.elements
      return (0..<rows.count).map { row in
        var sum = 0.0
        for index in row * columns.count..<(row + 1) * columns.count {
          sum += Double(entries[index]) * Double(entries[index])
        }
        return sum
      }
    }
  }

  /// `xᵀ M x = ‖Lᵀ x‖²` for each column `x` of a matrix; see ``quadraticForms(ofRowsOf:)``.
  ///
  /// - Parameter matrix: Shape `[n, k]`; its products with `L` are in single precision.
  /// - Returns: One number for each column.
  package func quadraticForms(ofColumnsOf matrix: Matrix<Float>) -> [Double] {
    precondition(matrix.rows == order, "one row for each column")
    return sumsOverPanels(count: matrix.columns) { vectors, columns, panel in
      let first = columns.lowerBound * matrix.columns + vectors.lowerBound
      let tails = MatrixView(
        matrix.elements.extracting(first..<matrix.elements.count),
        rows: panel.rows,
        columns: vectors.count,
        stride: matrix.columns
      )
      let images = product(panel.transposedView, tails)
      let entries = images.elements
      var sums = [Double](repeating: 0, count: vectors.count)
      for row in 0..<columns.count {
        let start = row * vectors.count
        for index in sums.indices {
          sums[index] += Double(entries[start + index]) * Double(entries[start + index])
        }
      }
      return sums
    }
  }

  /// What all panels of `L` contribute to a number for each vector, added in their order.
  ///
  /// The work is cut by shape alone, so threads do not change the bits.
  ///
  /// - Parameters:
  ///   - count: The number of vectors.
  ///   - terms: Receives some of the vectors, and the columns of a panel with its rows from the first of
  ///     these columns on (those above are zero); returns a number for each of these vectors.
  /// - Returns: The sums.
  private func sumsOverPanels(
    count: Int,
    _ terms: @Sendable (Range<Int>, Range<Int>, Matrix<Float>) -> [Double]
  ) -> [Double] {
    func pieces(of count: Int, _ size: Int) -> [Range<Int>] {
      stride(from: 0, to: count, by: size).map { $0..<min(count, $0 + size) }
    }
    let panels = pieces(of: order, Self.columnsPerPanel)
    let chunks = pieces(of: count, Self.vectorsPerChunk)
    // The longest panels come first.
    let parts = concurrentMap(count: panels.count * chunks.count) { index in
      let columns = panels[index / chunks.count]
      return terms(chunks[index % chunks.count], columns, panel(columns))
    }
    var sums = [Double](repeating: 0, count: count)
    for (index, part) in parts.enumerated() {
      let vectors = chunks[index % chunks.count]
      for (vector, term) in zip(vectors, part) { sums[vector] += term }
    }
    return sums
  }

  /// Some columns of `L` from the first row on that is not zero, rounded to single precision.
  private func panel(_ columns: Range<Int>) -> Matrix<Float> {
    var result = Matrix<Float>(rows: order - columns.lowerBound, columns: columns.count)
    let source = factor.elements
    for row in 0..<result.rows {
      let start = (columns.lowerBound + row) * order + columns.lowerBound
      for column in 0..<columns.count {
        result[row, column] = Float(source[start + column])
      }
    }
    return result
  }
}

/// The product on the calling thread.
private func product(_ left: MatrixView<Float>, _ right: MatrixView<Float>) -> Matrix<Float> {
  var result = Matrix<Float>(rows: left.outerExtent, columns: right.columns)
  var entries = result.mutableElements
  multiply(left, right, into: &entries)
  return result
}
