package import LinearAlgebra

/// Sees what enters and leaves the linear layers, and keeps what it needs.
///
/// The backward pass calls it; a third module joins it to the statistics.
package protocol LinearObserver {
  /// Called once for each batch and group of layers that read the same input.
  ///
  /// - Parameters:
  ///   - group: The layers.
  ///   - inputs: `x`, shape `[tokens, inputs]`, without a trailing 1.
  ///   - gradients: For each layer of the group, in order, `g = ∂loss/∂y` of the cross entropy summed
  ///     over positions, in nats; shape `[tokens, outputs]`. The last position of each sequence
  ///     predicts nothing, and counts as a token all the same.
  mutating func observe(
    _ group: InputGroup,
    inputs: Matrix<Float>,
    gradients: [Matrix<Float>]
  )
}
