package import LinearAlgebra
import MixedPrecision

/// The last norm and the projection to the vocabulary.
package struct OutputHead: Sendable {
  /// The most memory that logits take at a time, in bytes.
  package static let logitBytes = 64 << 20

  let norm: Norm
  /// Shape `[vocabulary, hidden]`.
  let weight: Matrix<Float>
  /// The same in bfloat16, where products are computed so.
  var rounded: BFloat16Matrix?

  /// The logits of a hidden state; all of them at once, so for short inputs.
  ///
  /// - Parameter hidden: The last block's output, shape `[tokens, hidden]`.
  /// - Returns: Shape `[tokens, vocabulary]`.
  package func logits(_ hidden: Matrix<Float>) -> Matrix<Float> {
    var slice = HeadSlice()
    project(hidden, in: &slice)
    return slice.logits
  }

  /// Normalises and projects some rows.
  func project(_ hidden: Matrix<Float>, in slice: inout HeadSlice) {
    slice.prepare(rows: hidden.rows, hidden: hidden.columns, vocabulary: weight.rows)
    norm.forward(
      hidden,
      into: &slice.normalised,
      moments: &slice.moments,
      piece: rowsPerPiece(hidden.rows)
    )
    let normalised = slice.normalised
    if let rounded {
      return multiply(normalised, rounded, isTransposed: true, into: &slice.logits)
    }
    multiplyTiled(normalised.view, weight.transposedView, into: &slice.logits)
  }

  /// Takes the gradient with respect to the logits back through the projection.
  func projectBack(in slice: inout HeadSlice) {
    let logits = slice.logits
    if let rounded {
      return multiply(logits, rounded, isTransposed: false, into: &slice.gradients)
    }
    multiplySplit(logits, weight, into: &slice.gradients)
  }

  /// How many positions are projected at a time.
  var positionsAtOnce: Int {
    max(1, Self.logitBytes / (weight.rows * MemoryLayout<Float>.size))
  }
}

/// What the head computes for some positions; its memory serves one slice after another.
struct HeadSlice {
  private static let empty = Matrix.zeros(rows: 0, columns: 0)

  /// Shape `[positions, hidden]`.
  var normalised = empty
  /// Shape `[positions, 2]`.
  var moments = empty
  /// Shape `[positions, vocabulary]`.
  var logits = empty
  /// The gradient with respect to `normalised`.
  var gradients = empty

  mutating func prepare(rows: Int, hidden: Int, vocabulary: Int) {
    normalised.prepare(rows: rows, columns: hidden)
    moments.prepare(rows: rows, columns: 2)
    logits.prepare(rows: rows, columns: vocabulary)
    gradients.prepare(rows: rows, columns: hidden)
  }
}
