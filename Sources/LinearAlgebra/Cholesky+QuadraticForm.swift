extension Cholesky {
  /// The columns of `L` that are multiplied at a time.
  private static var columnsPerPanel: Int { 256 }

  /// `x M xᵀ = ‖x L‖²` for each row `x` of a matrix.
  ///
  /// Takes half the operations of a product with `M`, because `L` is a triangle, and keeps no product.
  ///
  /// - Parameter matrix: Shape `[m, n]`; its products with `L` are in single precision.
  /// - Returns: One number for each row.
  package func quadraticForms(ofRowsOf matrix: Matrix<Float>) -> [Double] {
    precondition(matrix.columns == order, "one column for each column")
    guard matrix.rows > 0 else { return [] }
    return sumOfPanels(count: matrix.rows) { range, panel in
      let tail = MatrixView(
        matrix.elements.extracting(range.lowerBound..<matrix.elements.count),
        rows: matrix.rows,
        columns: panel.rows,
        stride: order
      )
      let product = product(tail, panel.view)
      return (0..<matrix.rows).map { row in
        let entries = product.elements
        var sum = 0.0
        for index in row * range.count..<(row + 1) * range.count {
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
    return sumOfPanels(count: matrix.columns) { range, panel in
      let first = range.lowerBound * matrix.columns
      let tail = MatrixView(
        matrix.elements.extracting(first..<matrix.elements.count),
        rows: panel.rows,
        columns: matrix.columns
      )
      let product = product(panel.transposedView, tail)
      var sums = [Double](repeating: 0, count: matrix.columns)
      let entries = product.elements
      for row in 0..<range.count {
        let start = row * matrix.columns
        for column in sums.indices {
          sums[column] += Double(entries[start + column]) * Double(entries[start + column])
        }
      }
      return sums
    }
  }

  /// The sums over all panels of what each contributes, in their order.
  ///
  /// - Parameters:
  ///   - count: The numbers that a panel contributes.
  ///   - terms: Receives the columns of a panel, and its rows from the first of these columns on: those
  ///     above are zero.
  /// - Returns: The sums.
  private func sumOfPanels(
    count: Int,
    _ terms: @Sendable (Range<Int>, Matrix<Float>) -> [Double]
  ) -> [Double] {
    let width = Self.columnsPerPanel
    let panels = concurrentMap(count: (order + width - 1) / width) { index in
      let range = index * width..<min(order, (index + 1) * width)
      return terms(range, panel(range))
    }
    return panels.reduce(into: [Double](repeating: 0, count: count)) { sums, panel in
      for index in sums.indices { sums[index] += panel[index] }
    }
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
