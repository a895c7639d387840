extension Matrix {
  /// The entries of the main diagonal, top left to bottom right.
  @inlinable
  package var diagonal: [Scalar] {
    (0..<min(rows, columns)).map { self[$0, $0] }
  }

  /// The matrix with rows and columns exchanged.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package func transposed() -> Matrix {
    var result = Matrix(rows: columns, columns: rows)
    let tile = 32
    for top in stride(from: 0, to: rows, by: tile) {
      for left in stride(from: 0, to: columns, by: tile) {
        for row in top..<min(top + tile, rows) {
          for column in left..<min(left + tile, columns) {
            result.storage[column * rows + row] = storage[row * columns + column]
          }
        }
      }
    }
    return result
  }

  /// The submatrix of the given rows and columns, in the order given.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package func selecting(rows chosenRows: [Int], columns chosenColumns: [Int]) -> Matrix {
    if chosenRows.elementsEqual(0..<rows), chosenColumns.elementsEqual(0..<columns) { return self }
    var result = Matrix(rows: chosenRows.count, columns: chosenColumns.count)
    guard !chosenRows.isEmpty, !chosenColumns.isEmpty else { return result }
    concurrentChunks(of: &result.storage, size: chosenColumns.count) { index, entries in
      let source = elements
      let start = chosenRows[index] * columns
      for j in chosenColumns.indices { entries[j] = source[start + chosenColumns[j]] }
    }
    return result
  }

  /// A copy of some consecutive rows.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package func selecting(rows range: Range<Int>) -> Matrix {
    Matrix(
      rows: range.count,
      columns: columns,
      storage: Array(storage[range.lowerBound * columns..<range.upperBound * columns])
    )
  }

  /// Writes `values` to the given rows and columns: the inverse of ``selecting(rows:columns:)``.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package mutating func scatter(
    _ values: Matrix,
    rows chosenRows: [Int],
    columns chosenColumns: [Int]
  ) {
    precondition(
      values.rows == chosenRows.count && values.columns == chosenColumns.count,
      "one value for each chosen place"
    )
    for (i, row) in chosenRows.enumerated() {
      let start = row * columns
      for (j, column) in chosenColumns.enumerated() {
        storage[start + column] = values.storage[i * values.columns + j]
      }
    }
  }
}
