import LinearAlgebra
import MixedPrecision

/// The weights of one linear layer, `y = W x + b`.
struct Linear: Sendable {
  /// `W`, shape `[outputs, inputs]`.
  let weight: Matrix<Float>
  /// `b`, shape `[outputs]`, where the layer has one.
  let bias: [Float]?
  /// `W` in bfloat16, where products are computed so.
  var rounded: BFloat16Matrix?

  /// Computes `y = W x + b` for every row of `inputs`.
  ///
  /// - Parameters:
  ///   - inputs: Shape `[tokens, inputs]`.
  ///   - outputs: Shape `[tokens, outputs]`.
  ///   - adding: Whether the result is added to what `outputs` holds.
  ///   - piece: The number of rows that one thread takes at a time; with fewer than there are, the
  ///     product is shared by all threads.
  func forward(
    _ inputs: Matrix<Float>,
    into outputs: inout Matrix<Float>,
    adding: Bool = false,
    piece: Int
  ) {
    precondition(inputs.columns == weight.columns, "one input for each column of the weight")
    precondition(outputs.columns == weight.rows, "one output for each row of the weight")
    let keeping: Float = adding ? 1 : 0
    if let rounded {
      return multiply(
        inputs,
        rounded,
        isTransposed: true,
        keeping: keeping,
        adding: bias,
        into: &outputs
      )
    }
    guard piece >= inputs.rows else {
      return multiplyTiled(
        inputs.view,
        weight.transposedView,
        keeping: keeping,
        adding: bias,
        into: &outputs
      )
    }
    var rows = outputs.storage.mutableSpan
    multiply(inputs.view, weight.transposedView, keeping: keeping, into: &rows)
    guard let bias else { return }
    for row in 0..<inputs.rows { addVector(bias.span, to: &rows, from: row * weight.rows) }
  }

  /// Computes `∂loss/∂x = Wᵀ ∂loss/∂y` for every row of `gradients`.
  ///
  /// - Parameters:
  ///   - gradients: `∂loss/∂y`, shape `[tokens, outputs]`.
  ///   - result: `∂loss/∂x`, shape `[tokens, inputs]`.
  ///   - adding: Whether the result is added to what `result` holds.
  ///   - piece: The number of rows that one thread takes at a time; with fewer than there are, the
  ///     product is shared by all threads.
  func backward(
    _ gradients: Matrix<Float>,
    into result: inout Matrix<Float>,
    adding: Bool = false,
    piece: Int
  ) {
    precondition(gradients.columns == weight.rows, "one gradient for each row of the weight")
    precondition(result.columns == weight.columns, "one gradient for each column of the weight")
    let keeping: Float = adding ? 1 : 0
    if let rounded {
      return multiply(gradients, rounded, isTransposed: false, keeping: keeping, into: &result)
    }
    guard piece >= gradients.rows else {
      return multiplyTiled(gradients.view, weight.view, keeping: keeping, into: &result)
    }
    var rows = result.storage.mutableSpan
    multiply(gradients.view, weight.view, keeping: keeping, into: &rows)
  }
}
