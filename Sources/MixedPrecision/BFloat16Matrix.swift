package import LinearAlgebra
import Tensors

/// A matrix of bfloat16 numbers, stored row by row; shape `[rows, columns]`.
///
/// They have the range of single precision and eight significant bits.
package struct BFloat16Matrix: Equatable, Sendable {
  /// How many numbers a thread rounds at a time.
  private static let piece = 1 << 15

  /// The number of rows.
  package let rows: Int
  /// The number of columns.
  package let columns: Int
  /// The bit patterns; entry (r, c) is at `r * columns + c`.
  package let storage: [UInt16]

  /// Rounds each entry to the nearest, ties to even.
  package init(rounding matrix: Matrix<Float>) {
    rows = matrix.rows
    columns = matrix.columns
    let numbers = matrix.storage
    var patterns = [UInt16](repeating: 0, count: numbers.count)
    concurrentChunks(of: &patterns, size: Self.piece) { index, piece in
      let start = index * Self.piece
      for place in piece.indices {
        piece[place] = HalfPrecision.bfloat16(numbers[start + place])
      }
    }
    storage = patterns
  }

  /// The same numbers in single precision, which holds them exactly.
  package var widened: Matrix<Float> {
    Matrix(
      rows: rows,
      columns: columns,
      storage: storage.map { HalfPrecision.float(bfloat16: $0) }
    )
  }
}
