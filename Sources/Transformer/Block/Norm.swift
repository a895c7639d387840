import LinearAlgebra
import RealModule

/// A LayerNorm or RMSNorm with its weights.
struct Norm: Sendable {
  let kind: NormKind
  /// What is added to the variance or mean square.
  let epsilon: Float
  /// Shape `[hidden]`.
  let weight: [Float]
  /// Shape `[hidden]`; LayerNorm alone has one.
  let bias: [Float]?

  /// Normalises every row.
  ///
  /// - Parameters:
  ///   - inputs: `x`, shape `[tokens, hidden]`.
  ///   - outputs: `(x − m) s w + b`, shape `[tokens, hidden]`.
  ///   - moments: `m` (zero for RMSNorm) and `s` of each row, which the backward pass needs; shape
  ///     `[tokens, 2]`.
  ///   - piece: The number of rows that one thread takes at a time.
  func forward(
    _ inputs: Matrix<Float>,
    into outputs: inout Matrix<Float>,
    moments: inout Matrix<Float>,
    piece: Int
  ) {
    let width = weight.count
    precondition(inputs.columns == width && outputs.columns == width, "one weight for each column")
    concurrentChunks(
      of: &outputs.storage,
      size: piece * width,
      and: &moments.storage,
      size: piece * 2
    ) { index, rows, moments in
      for row in 0..<rows.count / width {
        let start = (index * piece + row) * width
        let x = inputs.storage.span.extracting(start..<start + width)
        let (mean, scale) = self.moments(of: x)
        moments[2 * row] = mean
        moments[2 * row + 1] = scale
        apply(x, mean: mean, scale: scale, to: &rows, from: row * width)
      }
    }
  }

  /// Adds the gradient with respect to the inputs to `result`.
  ///
  /// With `d = w ∘ ∂loss/∂y` and `z = (x − m) s` it is `s (d − mean(d) − z mean(d ∘ z))`, without
  /// the second term for RMSNorm.
  ///
  /// - Parameters:
  ///   - gradients: `∂loss/∂y`, shape `[tokens, hidden]`.
  ///   - inputs: `x` of the forward pass.
  ///   - moments: Those of the forward pass.
  ///   - result: What the gradient is added to, shape `[tokens, hidden]`.
  ///   - piece: The number of rows that one thread takes at a time.
  func backward(
    _ gradients: Matrix<Float>,
    inputs: Matrix<Float>,
    moments: Matrix<Float>,
    addingTo result: inout Matrix<Float>,
    piece: Int
  ) {
    let width = weight.count
    precondition(inputs.columns == width && gradients.columns == width, "one width")
    precondition(inputs.rows == result.rows && gradients.rows == result.rows, "one row each")
    concurrentChunks(of: &result.storage, size: piece * width) { index, rows in
      for row in 0..<rows.count / width {
        let number = index * piece + row
        let range = number * width..<(number + 1) * width
        addGradient(
          gradients.storage.span.extracting(range),
          inputs.storage.span.extracting(range),
          (moments.storage[2 * number], moments.storage[2 * number + 1]),
          to: &rows,
          from: row * width
        )
      }
    }
  }

  /// The mean that is subtracted and the factor that is applied.
  private func moments(of x: Span<Float>) -> (mean: Float, scale: Float) {
    var mean: Float = 0
    if kind == .layer {
      // SAFETY: the index is one of the span's.
      for index in x.indices { mean = unsafe Relaxed.sum(mean, x[unchecked: index]) }
      mean /= Float(x.count)
    }
    var squares: Float = 0
    // SAFETY: the index is one of the span's.
    for index in x.indices {
      let centred = unsafe x[unchecked: index] - mean
      squares = Relaxed.multiplyAdd(centred, centred, squares)
    }
    return (mean, 1 / (squares / Float(x.count) + epsilon).squareRoot())
  }

  private func apply(
    _ x: Span<Float>,
    mean: Float,
    scale: Float,
    to outputs: inout MutableSpan<Float>,
    from start: Int
  ) {
    let weight = weight.span
    precondition(x.count == weight.count && start + x.count <= outputs.count, "one row")
    // SAFETY: the precondition covers every index; a bias is as long as the weight.
    for index in 0..<weight.count {
      unsafe outputs[unchecked: start + index] =
        (x[unchecked: index] - mean) * scale * weight[unchecked: index]
    }
    guard let bias else { return }
    addVector(bias.span, to: &outputs, from: start)
  }

  private func addGradient(
    _ gradient: Span<Float>,
    _ x: Span<Float>,
    _ moments: (mean: Float, scale: Float),
    to result: inout MutableSpan<Float>,
    from start: Int
  ) {
    let weight = weight.span
    let count = weight.count
    precondition(x.count == count && gradient.count == count, "one row")
    precondition(start >= 0 && start + count <= result.count, "the row lies within the result")
    let (mean, scale) = moments
    var sum: Float = 0
    var product: Float = 0
    // SAFETY: the preconditions cover every index of both loops.
    for index in 0..<count {
      let d = unsafe gradient[unchecked: index] * weight[unchecked: index]
      let z = unsafe (x[unchecked: index] - mean) * scale
      sum = Relaxed.sum(sum, d)
      product = Relaxed.multiplyAdd(d, z, product)
    }
    let meanGradient = kind == .layer ? sum / Float(count) : 0
    product /= Float(count)
    for index in 0..<count {
      let d = unsafe gradient[unchecked: index] * weight[unchecked: index]
      let z = unsafe (x[unchecked: index] - mean) * scale
      unsafe result[unchecked: start + index] += scale * (d - meanGradient - z * product)
    }
  }
}
