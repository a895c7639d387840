/// A dense matrix of numbers, stored row by row; shape `[rows, columns]`.
package struct Matrix<Scalar: BLASScalar>: Equatable, Sendable {
  /// The number of rows.
  package let rows: Int
  /// The number of columns.
  package let columns: Int
  /// The entries; entry (r, c) is at `r * columns + c`.
  package var storage: [Scalar]

  /// Takes over entries that are stored row by row.
  @inlinable
  package init(rows: Int, columns: Int, storage: [Scalar]) {
    precondition(rows >= 0 && columns >= 0, "a matrix has no negative extent")
    precondition(storage.count == rows * columns, "the entries fill the shape")
    self.rows = rows
    self.columns = columns
    self.storage = storage
  }

  /// A matrix with the same number everywhere; zero unless stated.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package init(rows: Int, columns: Int, repeating value: Scalar = 0) {
    self.init(
      rows: rows,
      columns: columns,
      storage: [Scalar](repeating: value, count: rows * columns)
    )
  }

  /// The entry at row `row` and column `column`.
  @inlinable
  package subscript(row: Int, column: Int) -> Scalar {
    get { storage[row * columns + column] }
    set { storage[row * columns + column] = newValue }
  }

  /// The entries for reading; entry (r, c) is at `r * columns + c`.
  @inlinable
  package var elements: Span<Scalar> {
    @_lifetime(borrow self) get { storage.span }
  }

  /// The entries for writing; entry (r, c) is at `r * columns + c`.
  @inlinable
  package var mutableElements: MutableSpan<Scalar> {
    @_lifetime(&self) mutating get { storage.mutableSpan }
  }
}

extension Matrix where Scalar == Float {
  /// The entry at row `row` and column `column`; other modules would call the generic accessor
  /// unspecialised, at many times the cost.
  package subscript(row: Int, column: Int) -> Float {
    get { storage[row * columns + column] }
    set { storage[row * columns + column] = newValue }
  }

  /// The same matrix in double precision.
  package func widened() -> Matrix<Double> {
    Matrix<Double>(rows: rows, columns: columns, storage: storage.map(Double.init))
  }
}

extension Matrix where Scalar == Double {
  /// The entry at row `row` and column `column`; other modules would call the generic accessor
  /// unspecialised, at many times the cost.
  package subscript(row: Int, column: Int) -> Double {
    get { storage[row * columns + column] }
    set { storage[row * columns + column] = newValue }
  }

  /// The same matrix, each entry rounded to single precision.
  package func narrowed() -> Matrix<Float> {
    Matrix<Float>(rows: rows, columns: columns, storage: storage.map(Float.init))
  }

  /// The identity matrix.
  package static func identity(_ order: Int) -> Matrix<Double> {
    var result = Matrix(rows: order, columns: order)
    for index in 0..<order { result[index, index] = 1 }
    return result
  }
}
