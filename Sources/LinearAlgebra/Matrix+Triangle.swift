extension Matrix where Scalar == Float {
  /// The symmetric matrix of a lower triangle that is stored row by row.
  ///
  /// - Parameters:
  ///   - entries: `n (n + 1) / 2` numbers.
  ///   - order: `n`.
  package init(lowerTriangle entries: [Float], order: Int) {
    precondition(entries.count == order * (order + 1) / 2, "as many entries as a triangle has")
    self.init(rows: order, columns: order)
    guard order > 0 else { return }
    concurrentChunks(of: &storage, size: order) { row, values in
      let source = entries.span
      let start = row * (row + 1) / 2
      for column in 0...row { values[column] = source[start + column] }
    }
    mirrorLowerTriangle(of: &self)
  }
}

/// Copies the entries below the diagonal to those above it, on all threads.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
package func mirrorLowerTriangle<Scalar: BLASScalar>(of matrix: inout Matrix<Scalar>) {
  precondition(matrix.rows == matrix.columns, "a symmetric matrix is square")
  let order = matrix.rows
  // A tile is read and written within the cache, though one of both goes down columns.
  let edge = 64
  let side = (order + edge - 1) / edge
  unsafe matrix.storage.withUnsafeMutableBufferPointer { buffer in
    // SAFETY: tiles of different indices do not overlap, nor do their mirror images, and both lie within
    // the matrix; what is below the diagonal is only read.
    nonisolated(unsafe) let entries = unsafe buffer
    concurrently(count: side * (side + 1) / 2) { index in
      let (top, left) = lowerTrianglePosition(index)
      for row in top * edge..<min(order, (top + 1) * edge) {
        for column in left * edge..<min(row, (left + 1) * edge) {
          unsafe entries[column * order + row] = entries[row * order + column]
        }
      }
    }
  }
}
