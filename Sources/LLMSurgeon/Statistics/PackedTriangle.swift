import LinearAlgebra

/// The lower triangle of a symmetric matrix, row by row, as statistics are stored.
enum PackedTriangle {
  /// The number of entries of a triangle of that order.
  static func count(order: Int) -> Int { order * (order + 1) / 2 }

  /// The lower triangle of a square matrix.
  static func pack(_ matrix: Matrix<Float>) -> [Float] {
    let order = matrix.rows
    var entries: [Float] = []
    entries.reserveCapacity(count(order: order))
    for row in 0..<order {
      entries += matrix.storage[row * order..<row * order + row + 1]
    }
    return entries
  }

  /// The symmetric matrix of a lower triangle.
  static func unpack(_ entries: [Float], order: Int) -> Matrix<Float> {
    precondition(entries.count == count(order: order), "as many entries as a triangle has")
    var matrix = Matrix<Float>(rows: order, columns: order)
    var next = 0
    for row in 0..<order {
      for column in 0...row {
        matrix[row, column] = entries[next]
        matrix[column, row] = entries[next]
        next += 1
      }
    }
    return matrix
  }
}
