import LinearAlgebra

/// The weights of one linear layer, `y = W x + b`.
struct Linear: Sendable {
  /// `W`, shape `[outputs, inputs]`.
  let weight: Matrix<Float>
  /// `b`, shape `[outputs]`, where the layer has one.
  let bias: [Float]?

  /// Computes `y = W x + b` for every row of `inputs`.
  ///
  /// - Parameters:
  ///   - inputs: Shape `[tokens, inputs]`.
  ///   - outputs: Shape `[tokens, outputs]`.
  ///   - adding: Whether the result is added to what `outputs` holds.
  ///   - piece: The number of rows that one thread takes at a time.
  func forward(
    _ inputs: Matrix<Float>,
    into outputs: inout Matrix<Float>,
    adding: Bool = false,
    piece: Int
  ) {
    precondition(inputs.columns == weight.columns, "one input for each column of the weight")
    precondition(outputs.columns == weight.rows, "one output for each row of the weight")
    let width = weight.rows
    concurrentChunks(of: &outputs.storage, size: piece * width) { index, rows in
      let count = rows.count / width
      multiply(
        inputs.rowView(index * piece, count: count),
        weight.transposedView,
        keeping: adding ? 1 : 0,
        into: &rows
      )
      guard let bias else { return }
      for row in 0..<count { addVector(bias.span, to: &rows, from: row * width) }
    }
  }

  /// Computes `∂loss/∂x = Wᵀ ∂loss/∂y` for every row of `gradients`.
  ///
  /// - Parameters:
  ///   - gradients: `∂loss/∂y`, shape `[tokens, outputs]`.
  ///   - result: `∂loss/∂x`, shape `[tokens, inputs]`.
  ///   - adding: Whether the result is added to what `result` holds.
  ///   - piece: The number of rows that one thread takes at a time.
  func backward(
    _ gradients: Matrix<Float>,
    into result: inout Matrix<Float>,
    adding: Bool = false,
    piece: Int
  ) {
    precondition(gradients.columns == weight.rows, "one gradient for each row of the weight")
    precondition(result.columns == weight.columns, "one gradient for each column of the weight")
    let width = weight.columns
    concurrentChunks(of: &result.storage, size: piece * width) { index, rows in
      multiply(
        gradients.rowView(index * piece, count: rows.count / width),
        weight.view,
        keeping: adding ? 1 : 0,
        into: &rows
      )
    }
  }
}
