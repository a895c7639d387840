package import LinearAlgebra

/// Sees what the gradients of the output head's own weights are made from.
package protocol HeadObserver {
  /// Called once for each slice of positions, in order.
  ///
  /// - Parameter traffic: What entered and left the projection.
  mutating func observe(_ traffic: HeadTraffic)
}

/// What entered and left the projection to the vocabulary at some positions.
package struct HeadTraffic: Sendable {
  /// `x`, the normalised hidden state; shape `[positions, hidden]`.
  package let inputs: Matrix<Float>
  /// `∂loss/∂logits` of the loss summed over positions, in nats; shape `[positions, vocabulary]`.
  package let gradients: Matrix<Float>
  /// The gradient of the last norm's weights.
  package let norm: NormGradient
}

/// The losses of some sequences, means over predicted positions.
package struct HeadLosses: Equatable, Sendable {
  /// The cross entropy of each sequence, in nats per predicted token.
  package let losses: [Double]
  /// The divergence from a teacher's predictions of each sequence, in nats per predicted token; none
  /// without a teacher.
  package let divergences: [Double]
}
