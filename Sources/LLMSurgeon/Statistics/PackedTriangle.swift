import LinearAlgebra

/// The lower triangle of a symmetric matrix, row by row, as statistics are stored.
enum PackedTriangle {
  /// The number of entries of a triangle of that order.
  static func count(order: Int) -> Int { order * (order + 1) / 2 }

  /// The lower triangle of a square matrix.
  static func pack(_ matrix: Matrix<Float>) -> [Float] {
    let order = matrix.rows
    return [Float](unsafeUninitializedCapacity: count(order: order)) { buffer, initialized in
      var next = 0
      for row in 0..<order {
        for column in 0...row {
          // SAFETY: `next` counts the entries of the triangle, for which there is room.
          unsafe buffer.initializeElement(at: next, to: matrix[row, column])
          next += 1
        }
      }
      initialized = next
    }
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
