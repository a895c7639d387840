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
}
