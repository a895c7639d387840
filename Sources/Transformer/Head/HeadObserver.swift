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
  /// `∂loss/∂logits` of the cross entropy summed over positions, in nats; shape
  /// `[positions, vocabulary]`.
  package let gradients: Matrix<Float>
  /// The gradient of the last norm's weights.
  package let norm: NormGradient
}
