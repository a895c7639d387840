/// The model before pruning.
package struct ModelRecord: Sendable, Equatable {
  /// The name or path as the user gave it.
  package var name: String
  /// The architecture family, such as `llama`.
  package var family: String
  /// Decoder blocks.
  package var blocks: Int
  /// The width of the residual stream.
  package var hiddenSize: Int
  /// All parameters, prunable or not.
  package var parameters: Int
  /// The element type of the weights, such as `bfloat16`.
  package var elementType: String
  /// A digest of the model's files.
  package var fingerprint: String

  /// Takes all values; `fingerprint` is a digest in any notation.
  package init(
    name: String,
    family: String,
    blocks: Int,
    hiddenSize: Int,
    parameters: Int,
    elementType: String,
    fingerprint: String
  ) {
    self.name = name
    self.family = family
    self.blocks = blocks
    self.hiddenSize = hiddenSize
    self.parameters = parameters
    self.elementType = elementType
    self.fingerprint = fingerprint
  }
}

/// How weights are chosen and repaired.
package enum PruningMethod: String, Sendable, CaseIterable {
  /// Joint choice and repair with the Kronecker-factored curvature.
  case surgeon
  /// Single costs from the Kronecker-factored curvature, no repair of other weights.
  case kobd
  /// Single costs from the activations of each layer alone.
  case lobd
  /// The smallest weights go.
  case magnitude
  /// Costs from the variances of the inputs; biases take over the means.
  case activation
  /// Weights times the norms of their inputs, layer by layer, no repair.
  case wanda
  /// A repairing sweep over each layer's columns.
  case sparsegpt
  /// Each layer's output by ADMM, then conjugate gradients.
  case alps

  /// Whether the method predicts errors of each layer's output and not of the loss.
  package var isLayerLocal: Bool {
    switch self {
    case .wanda, .sparsegpt, .alps: true
    case .surgeon, .kobd, .lobd, .magnitude, .activation: false
    }
  }
}

/// How the target is shared between layers.
package enum AllocationMethod: String, Sendable, CaseIterable {
  /// One threshold for the whole model.
  case global
  /// The same share in every layer.
  case uniform
  /// A smaller share in blocks with more outliers among their scores.
  case owl
}

/// What was asked for.
package struct SettingsRecord: Sendable, Equatable {
  /// How weights are chosen and repaired.
  package var method: PruningMethod
  /// What is removed as one: `element`, `2:4`, `rows-columns`, ….
  package var structure: String
  /// How the target is shared between layers.
  package var allocation: AllocationMethod
  /// The share of the prunable weights to remove, 0 to 1.
  package var targetShare: Double
  /// How often the curvature is measured on the way to the target.
  package var shots: Int
  /// Into how many steps each shot is cut.
  package var steps: Int

  /// Takes all values.
  ///
  /// - Parameters:
  ///   - method: How weights are chosen and repaired.
  ///   - structure: What is removed as one.
  ///   - allocation: How the target is shared between layers.
  ///   - targetShare: The share to remove, 0 to 1.
  ///   - shots: How often the curvature is measured.
  ///   - steps: Into how many steps each shot is cut.
  package init(
    method: PruningMethod,
    structure: String,
    allocation: AllocationMethod,
    targetShare: Double,
    shots: Int = 1,
    steps: Int = 1
  ) {
    self.method = method
    self.structure = structure
    self.allocation = allocation
    self.targetShare = targetShare
    self.shots = shots
    self.steps = steps
  }
}

/// Where the labels of the calibration loss come from.
package enum LabelSource: String, Sendable, CaseIterable {
  /// The text itself.
  case empirical
  /// Drawn from the model's own predictions.
  case sampled
}

/// The data that the curvature was measured on.
package struct CalibrationRecord: Sendable, Equatable {
  /// Windows of text.
  package var sequences: Int
  /// Tokens in one window.
  package var length: Int
  /// Positions that the loss was taken at.
  package var tokens: Int
  /// The seed of the random choices, not negative.
  package var seed: Int
  /// Where the labels come from.
  package var labels: LabelSource
  /// A digest of the tokens.
  package var fingerprint: String

  /// Takes all values.
  package init(
    sequences: Int,
    length: Int,
    tokens: Int,
    seed: Int,
    labels: LabelSource,
    fingerprint: String
  ) {
    self.sequences = sequences
    self.length = length
    self.tokens = tokens
    self.seed = seed
    self.labels = labels
    self.fingerprint = fingerprint
  }
}

/// The mean loss on the calibration windows, in nats per token, where it was measured.
package struct LossRecord: Sendable, Equatable {
  /// Before pruning.
  package var dense: Double?
  /// After pruning.
  package var pruned: Double?

  /// Takes what was measured.
  package init(dense: Double? = nil, pruned: Double? = nil) {
    self.dense = dense
    self.pruned = pruned
  }

  /// How much the loss rose, in nats per token; none if it was not measured twice.
  package var rise: Double? {
    guard let dense, let pruned else { return nil }
    return pruned - dense
  }
}

/// One measurement of the curvature and the removal that followed.
package struct ShotRecord: Sendable, Equatable {
  /// Which one, from 1.
  package var number: Int
  /// The share to have removed after it, 0 to 1.
  package var target: Double
  /// The share that was removed after it, 0 to 1.
  package var achieved: Double
  /// The rise in loss it predicted for its own removal, in nats per token.
  package var predictedRise: Double
  /// The loss it started from, in nats per token, where it was measured.
  package var lossBefore: Double?
  /// The perplexity on held-out windows after it, where it was measured.
  package var heldOutPerplexity: Double?

  /// Takes all values but the perplexity, which is measured later.
  package init(
    number: Int,
    target: Double,
    achieved: Double,
    predictedRise: Double,
    lossBefore: Double? = nil
  ) {
    self.number = number
    self.target = target
    self.achieved = achieved
    self.predictedRise = predictedRise
    self.lossBefore = lossBefore
  }
}

/// When a run took place and how long its phases took.
package struct RunRecord: Sendable, Equatable {
  /// One phase of a run.
  package struct Phase: Sendable, Equatable {
    /// What was done.
    package var name: String
    /// How long it took.
    package var seconds: Double

    /// Takes all values.
    package init(_ name: String, seconds: Double) {
      self.name = name
      self.seconds = seconds
    }
  }

  /// When the run ended, as ISO 8601 text.
  package var date: String?
  /// The phases in the order they ran.
  package var phases: [Phase]

  /// Takes all values.
  package init(date: String? = nil, phases: [Phase] = []) {
    self.date = date
    self.phases = phases
  }
}
