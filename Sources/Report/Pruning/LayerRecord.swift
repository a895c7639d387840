/// What happened to one weight matrix.
///
/// All losses are in nats per token, and zero from methods that predict none. The bias counts neither as a weight nor as a column.
package struct LayerRecord: Sendable, Equatable {
  /// The layer's name in the checkpoint, without `.weight`.
  package var name: String
  /// The decoder block it belongs to, from 0.
  package var block: Int
  /// Its place within the block: the last part of the name, such as `q_proj` or `fc1`.
  package var kind: String
  /// Rows of `W` before pruning.
  package var outputs: Int
  /// Columns of `W` before pruning.
  package var inputs: Int
  /// Whether the layer adds a bias.
  package var hasBias: Bool
  /// Rows that hold at least one kept weight.
  package var rowsKept: Int
  /// Columns that hold at least one kept weight.
  package var columnsKept: Int
  /// Weights that were kept.
  package var weightsKept: Int
  /// The predicted rise of the model's loss from this layer.
  package var predictedRise: Double
  /// The quadratic loss had the weights only been set to zero.
  package var lossZeroedOnly: Double
  /// The quadratic loss after repairing the kept weights.
  package var lossRepaired: Double
  /// The relative error of the layer's output, `‖(X − W) x‖² / ‖W x‖²` over the tokens, had the
  /// weights only been set to zero; only from methods that look at one layer at a time.
  package var outputErrorZeroed: Double?
  /// The same error with the new weights.
  package var outputError: Double?
  /// The damping `λ_A` that was used, a share of the mean diagonal of `A`.
  package var dampingActivations: Double
  /// The damping `λ_G` that was used, a share of the mean diagonal of `G`.
  package var dampingGradients: Double
  /// How often a failed factorization raised the damping.
  package var dampingRaised: Int

  /// A layer that nothing has happened to yet; change what pruning changed.
  ///
  /// - Parameters:
  ///   - name: The layer's name in the checkpoint, without `.weight`.
  ///   - block: The decoder block, from 0.
  ///   - kind: Its place within the block.
  ///   - outputs: Rows of `W`.
  ///   - inputs: Columns of `W`.
  package init(name: String, block: Int, kind: String, outputs: Int, inputs: Int) {
    self.name = name
    self.block = block
    self.kind = kind
    self.outputs = outputs
    self.inputs = inputs
    hasBias = false
    rowsKept = outputs
    columnsKept = inputs
    weightsKept = outputs * inputs
    (predictedRise, lossZeroedOnly, lossRepaired) = (0, 0, 0)
    (dampingActivations, dampingGradients, dampingRaised) = (0, 0, 0)
  }

  /// Weights before pruning.
  package var weights: Int { outputs * inputs }
  /// The share of the weights that was removed, 0 to 1.
  package var shareRemoved: Double { Double(weights - weightsKept) / Double(weights) }
}
