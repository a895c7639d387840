package import LinearAlgebra

/// Sees what enters and leaves the linear layers, and keeps what it needs.
///
/// The passes through a block call it; a third module joins it to the statistics.
package protocol LinearObserver {
  /// Called once for each batch of a block.
  ///
  /// - Parameter traffic: The block's groups of layers that read the same input, in order.
  mutating func observe(_ traffic: [LinearTraffic])

  /// Whether the backward pass computes the gradients of the norms' weights too.
  var observesNorms: Bool { get }

  /// Called once for each batch, after the linear layers were shown, where ``observesNorms`` holds.
  ///
  /// - Parameter norms: The gradients of the batch.
  mutating func observe(_ norms: BlockNormGradients)
}

extension LinearObserver {
  /// Norms are passed over unless an observer says otherwise.
  package var observesNorms: Bool { false }
  /// Does nothing.
  package mutating func observe(_ norms: BlockNormGradients) {}
}

/// What entered and left the linear layers of one input group in a batch, in pieces of consecutive
/// tokens.
package struct LinearTraffic: Sendable {
  /// The layers.
  package let group: InputGroup
  /// `x`, shape `[tokens of the piece, inputs]`, without a trailing 1.
  package let inputs: [Matrix<Float>]
  /// For each layer of the group, in order, the pieces of `g = ∂loss/∂y` of the cross entropy summed
  /// over positions, in nats; shape `[tokens of the piece, outputs]`.
  ///
  /// The last position of each sequence predicts nothing, and counts as a token all the same. Empty
  /// in a forward pass.
  package let gradients: [[Matrix<Float>]]
}
