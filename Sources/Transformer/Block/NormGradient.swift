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

  /// The sum with another gradient of the same norm.
  func adding(_ other: NormGradient) -> NormGradient {
    var sum = NormGradient()
    sum.weight = zip(weight, other.weight).map { $0 + $1 }
    sum.bias = zip(bias, other.bias).map { $0 + $1 }
    return sum
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
      attention = attention.adding(piece.attention)
      feedForward = feedForward.adding(piece.feedForward)
    }
  }

  /// Becomes zero, in the size of a model's norms.
  mutating func clear(for decoder: DecoderDescription) {
    let zero = NormGradient(width: decoder.hiddenSize, hasBias: decoder.norm == .layer)
    (attention, feedForward) = (zero, zero)
  }
}

extension Norm {
  /// The gradient with respect to the norm's own weights.
  ///
  /// With `z = (x − m) s` it is `Σ ∂loss/∂y ∘ z` for the weight and `Σ ∂loss/∂y` for the bias, summed
  /// over the rows one after the other.
  ///
  /// - Parameters:
  ///   - gradients: `∂loss/∂y`, shape `[tokens, hidden]`.
  ///   - inputs: `x` of the forward pass.
  ///   - moments: Those of the forward pass.
  /// - Returns: The sums.
  func weightGradient(
    _ gradients: Matrix<Float>,
    inputs: Matrix<Float>,
    moments: Matrix<Float>
  ) -> NormGradient {
    let width = weight.count
    precondition(inputs.columns == width && gradients.columns == width, "one width")
    precondition(inputs.rows == gradients.rows && moments.rows == inputs.rows, "one row each")
    let (slopes, x) = (gradients.storage.span, inputs.storage.span)
    var sums = [Float](repeating: 0, count: width)
    var shifts = [Float](repeating: 0, count: bias == nil ? 0 : width)
    var total = sums.mutableSpan
    var shift = shifts.mutableSpan
    for row in 0..<inputs.rows {
      let (mean, scale) = (moments.storage[2 * row], moments.storage[2 * row + 1])
      let start = row * width
      // SAFETY: the preconditions cover every index.
      for column in 0..<width {
        let z = unsafe (x[unchecked: start + column] - mean) * scale
        unsafe total[unchecked: column] += slopes[unchecked: start + column] * z
      }
      guard bias != nil else { continue }
      addVector(slopes.extracting(start..<start + width), to: &shift, from: 0)
    }
    var gradient = NormGradient()
    gradient.weight = sums
    gradient.bias = shifts
    return gradient
  }
}

extension DecoderBlock {
  /// What a piece gives for the norm before the feed-forward part, right after its gradient was taken
  /// back through that part.
  func feedForwardNormGradient(_ piece: BlockWorkspace.Piece) -> NormGradient {
    feedForwardNorm.weightGradient(
      piece.slopes.part,
      inputs: piece.tape.residual,
      moments: piece.tape.feedForwardMoments
    )
  }

  /// What a piece gives for the norm before attention, right after its gradient was taken back
  /// through attention.
  func attentionNormGradient(_ piece: BlockWorkspace.Piece) -> NormGradient {
    attentionNorm.weightGradient(
      piece.slopes.part,
      inputs: piece.tape.input,
      moments: piece.tape.attentionMoments
    )
  }
}
