import LinearAlgebra

/// The gradient of a loss with respect to a norm's own weights.
package struct NormGradient: Equatable, Sendable {
  /// `∂loss/∂w`, shape `[hidden]`.
  package internal(set) var weight: [Float]
  /// `∂loss/∂b`, shape `[hidden]`; empty for RMSNorm.
  package internal(set) var bias: [Float]

  /// Zero, for a norm of this width.
  init(width: Int = 0, hasBias: Bool = false) {
    weight = [Float](repeating: 0, count: width)
    bias = hasBias ? weight : []
  }

  /// Zero, for a norm.
  init(_ norm: Norm) { self.init(width: norm.weight.count, hasBias: norm.bias != nil) }

  /// Adds another gradient of the same norm.
  mutating func add(_ other: NormGradient) {
    var weights = weight.mutableSpan
    addVector(other.weight.span, to: &weights, from: 0)
    var biases = bias.mutableSpan
    addVector(other.bias.span, to: &biases, from: 0)
  }
}

/// The gradients of the weights of a block's norms.
package struct BlockNormGradients: Equatable, Sendable {
  /// That of the norm before attention.
  package internal(set) var attention = NormGradient()
  /// That of the norm before the feed-forward part.
  package internal(set) var feedForward = NormGradient()

  /// Nothing yet.
  init() {}

  /// The sum of at least one piece, in order.
  init(sumOf pieces: [BlockNormGradients]) {
    self = pieces[0]
    for piece in pieces.dropFirst() {
      attention.add(piece.attention)
      feedForward.add(piece.feedForward)
    }
  }

  /// Becomes zero, in the size of a model's norms.
  mutating func clear(for decoder: DecoderDescription) {
    let zero = NormGradient(width: decoder.hiddenSize, hasBias: decoder.norm == .layer)
    (attention, feedForward) = (zero, zero)
  }
}

extension Norm {
  /// Adds the gradient with respect to the norm's own weights.
  ///
  /// With `z = (x − m) s` it is `Σ ∂loss/∂y ∘ z` for the weight and `Σ ∂loss/∂y` for the bias, summed
  /// over the rows one after the other.
  ///
  /// - Parameters:
  ///   - gradients: `∂loss/∂y`, shape `[tokens, hidden]`.
  ///   - inputs: `x` of the forward pass.
  ///   - moments: Those of the forward pass.
  ///   - sum: What is added to.
  func addGradient(
    _ gradients: Matrix<Float>,
    inputs: Matrix<Float>,
    moments: Matrix<Float>,
    to sum: inout NormGradient
  ) {
    let width = weight.count
    precondition(inputs.columns == width && gradients.columns == width, "one width")
    precondition(inputs.rows == gradients.rows && moments.rows == inputs.rows, "one row each")
    precondition(sum.weight.count == width, "a gradient of this norm")
    let (slopes, x) = (gradients.storage.span, inputs.storage.span)
    var total = sum.weight.mutableSpan
    for row in 0..<inputs.rows {
      let (mean, scale) = (moments.storage[2 * row], moments.storage[2 * row + 1])
      let start = row * width
      // SAFETY: the preconditions cover every index.
      for column in 0..<width {
        let z = unsafe (x[unchecked: start + column] - mean) * scale
        unsafe total[unchecked: column] += slopes[unchecked: start + column] * z
      }
    }
    guard bias != nil else { return }
    var shift = sum.bias.mutableSpan
    for row in 0..<inputs.rows {
      addVector(slopes.extracting(row * width..<(row + 1) * width), to: &shift, from: 0)
    }
  }
}

extension DecoderBlock {
  /// Adds what a piece gives for the norm before the feed-forward part, right after its gradient was
  /// taken back through that part.
  func addFeedForwardNorm(
    _ tape: BlockTape,
    _ slopes: BlockGradients,
    to norms: inout BlockNormGradients
  ) {
    feedForwardNorm.addGradient(
      slopes.part,
      inputs: tape.residual,
      moments: tape.feedForwardMoments,
      to: &norms.feedForward
    )
  }

  /// Adds what a piece gives for the norm before attention, right after its gradient was taken back
  /// through attention.
  func addAttentionNorm(
    _ tape: BlockTape,
    _ slopes: BlockGradients,
    to norms: inout BlockNormGradients
  ) {
    attentionNorm.addGradient(
      slopes.part,
      inputs: tape.input,
      moments: tape.attentionMoments,
      to: &norms.attention
    )
  }
}
