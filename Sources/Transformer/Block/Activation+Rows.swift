import LinearAlgebra

extension Activation {
  /// The function's value.
  @inline(__always)
  func value(_ x: Float) -> Float {
    switch self {
    // NaN stays NaN, as the comparison fails.
    case .relu: x < 0 ? 0 : x
    case .silu: x * sigmoid(x)
    }
  }

  /// The function's derivative; that of `relu` at zero is zero.
  @inline(__always)
  func derivative(_ x: Float) -> Float {
    switch self {
    case .relu: x > 0 ? 1 : 0
    case .silu:
      { (s: Float) in s * (1 + x * (1 - s)) }(sigmoid(x))
    }
  }

  // One thread takes `rows` rows at a time.

  /// Computes `act(up)`, or `act(gate) ∘ up` where there is a gate; all of one shape.
  func forward(
    up: Matrix<Float>,
    gate: Matrix<Float>?,
    into result: inout Matrix<Float>,
    rows: Int
  ) {
    let piece = rows * up.columns
    precondition(up.storage.count == result.storage.count, "one shape")
    concurrentChunks(of: &result.storage, size: max(1, piece)) { index, values in
      let range = index * piece..<index * piece + values.count
      let up = up.storage.span.extracting(range)
      guard let gate else { return activate(up, into: &values) }
      activate(up, gate: gate.storage.span.extracting(range), into: &values)
    }
  }

  /// Turns the gradient with respect to `act(up)` into that with respect to `up`, in place.
  func backward(_ gradients: inout Matrix<Float>, up: Matrix<Float>, rows: Int) {
    let piece = rows * up.columns
    precondition(up.storage.count == gradients.storage.count, "one shape")
    concurrentChunks(of: &gradients.storage, size: max(1, piece)) { index, values in
      differentiate(
        up.storage.span.extracting(index * piece..<index * piece + values.count),
        into: &values
      )
    }
  }

  /// Turns the gradient with respect to `act(gate) ∘ up` into that with respect to `up`, in place,
  /// and computes that with respect to `gate`.
  func backward(
    _ gradients: inout Matrix<Float>,
    up: Matrix<Float>,
    gate: Matrix<Float>,
    gateGradients: inout Matrix<Float>,
    rows: Int
  ) {
    let piece = rows * up.columns
    precondition(up.storage.count == gradients.storage.count, "one shape")
    precondition(up.storage.count == gateGradients.storage.count, "one shape")
    concurrentChunks(
      of: &gradients.storage,
      size: max(1, piece),
      and: &gateGradients.storage,
      size: max(1, piece)
    ) { index, values, gateValues in
      let range = index * piece..<index * piece + values.count
      let up = up.storage.span.extracting(range)
      let gate = gate.storage.span.extracting(range)
      differentiate(up, gate: gate, into: &values, gateInto: &gateValues)
    }
  }

  // The function is chosen outside each loop, so that the loop has no branch.

  private func activate(_ up: Span<Float>, into result: inout MutableSpan<Float>) {
    precondition(up.count == result.count, "one length")
    // SAFETY: the precondition covers every index of both loops.
    switch self {
    case .relu:
      for index in 0..<up.count {
        unsafe result[unchecked: index] = Activation.relu.value(up[unchecked: index])
      }
    case .silu:
      for index in 0..<up.count {
        unsafe result[unchecked: index] = Activation.silu.value(up[unchecked: index])
      }
    }
  }

  private func activate(
    _ up: Span<Float>,
    gate: Span<Float>,
    into result: inout MutableSpan<Float>
  ) {
    precondition(up.count == gate.count, "one length")
    activate(gate, into: &result)
    // SAFETY: the preconditions cover every index.
    for index in 0..<up.count { unsafe result[unchecked: index] *= up[unchecked: index] }
  }

  private func differentiate(_ up: Span<Float>, into gradient: inout MutableSpan<Float>) {
    precondition(up.count == gradient.count, "one length")
    // SAFETY: the precondition covers every index of both loops.
    switch self {
    case .relu:
      for index in 0..<up.count {
        unsafe gradient[unchecked: index] *= Activation.relu.derivative(up[unchecked: index])
      }
    case .silu:
      for index in 0..<up.count {
        unsafe gradient[unchecked: index] *= Activation.silu.derivative(up[unchecked: index])
      }
    }
  }

  private func differentiate(
    _ up: Span<Float>,
    gate: Span<Float>,
    into gradient: inout MutableSpan<Float>,
    gateInto gateGradient: inout MutableSpan<Float>
  ) {
    precondition(up.count == gate.count && up.count == gradient.count, "one length")
    precondition(up.count == gateGradient.count, "one length")
    // SAFETY: the preconditions cover every index of both loops.
    for index in 0..<up.count {
      unsafe gateGradient[unchecked: index] = gradient[unchecked: index] * up[unchecked: index]
    }
    differentiate(gate, into: &gateGradient)
    switch self {
    case .relu:
      for index in 0..<up.count {
        unsafe gradient[unchecked: index] *= Activation.relu.value(gate[unchecked: index])
      }
    case .silu:
      for index in 0..<up.count {
        unsafe gradient[unchecked: index] *= Activation.silu.value(gate[unchecked: index])
      }
    }
  }
}
