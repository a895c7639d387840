import LinearAlgebra

/// The number of rows that one thread takes at a time: a function of the shape, never of the
/// machine.
func rowsPerPiece(_ rows: Int) -> Int {
  min(256, max(16, ((rows + 15) / 16 + 15) & ~15))
}

extension Matrix where Scalar == Float {
  /// A view of some consecutive rows.
  @_lifetime(borrow self)
  func rowView(_ first: Int, count: Int) -> MatrixView<Float> {
    MatrixView(
      storage.span.extracting(first * columns..<(first + count) * columns),
      rows: count,
      columns: columns
    )
  }

  /// A matrix of zeros.
  ///
  /// The array is filled where its type is known: filling is many times slower in a generic.
  static func zeros(rows: Int, columns: Int) -> Matrix<Float> {
    Matrix(rows: rows, columns: columns, storage: [Float](repeating: 0, count: rows * columns))
  }

  /// Makes room for `rows` rows of `columns` numbers; what they hold is unspecified.
  mutating func prepare(rows: Int, columns: Int) {
    guard self.rows != rows || self.columns != columns else { return }
    self = .zeros(rows: rows, columns: columns)
  }

  /// Overwrites the rows from `first` on.
  mutating func replaceRows(from first: Int, with other: Matrix<Float>) {
    precondition(other.columns == columns, "rows are of one width")
    precondition(first >= 0 && first + other.rows <= rows, "the rows lie within the matrix")
    let range = first * columns..<(first + other.rows) * columns
    var entries = storage.mutableSpan
    withPart(of: &entries, range) { part in
      copy(other.storage.span, to: &part)
    }
  }
}

/// Overwrites a whole matrix, on all threads.
///
/// - Parameters:
///   - source: As many numbers as the matrix has.
///   - target: The matrix.
///   - piece: The number of rows that one thread takes at a time.
func copyRows(_ source: Span<Float>, to target: inout Matrix<Float>, piece: Int) {
  precondition(source.count == target.storage.count, "one number for each number")
  let width = target.columns
  concurrentChunks(of: &target.storage, size: piece * width) { index, rows in
    copy(source.extracting(index * piece * width..<index * piece * width + rows.count), to: &rows)
  }
}

/// Overwrites a whole matrix by another of its shape, on all threads.
func copyRows(_ source: Matrix<Float>, to target: inout Matrix<Float>, piece: Int) {
  copyRows(source.storage.span, to: &target, piece: piece)
}
