import LinearAlgebra

extension Matrix<Float> {
  /// The difference, entry by entry.
  func less(_ other: Matrix<Float>) -> Matrix<Float> {
    Matrix(
      rows: rows,
      columns: columns,
      storage: zip(storage, other.storage).map { $0 - $1 }
    )
  }
}
