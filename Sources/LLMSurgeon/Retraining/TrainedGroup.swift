public import Training

/// Which values of a model are trained; groups go together in any sum, but at most one of those that
/// change the weight matrices.
public enum TrainedGroup: String, CaseIterable, Sendable {
  /// The biases of the linear layers in the blocks, and those of the norms.
  case biases
  /// The weights of the norms.
  case norms
  /// The embeddings of tokens and positions, and the output projection.
  case embeddings
  /// Two small factors added to the output projection, which becomes a matrix of its own where it was
  /// the token embedding.
  case head
  /// Two small factors added to each matrix; for a model without zeros.
  case lora
  /// Like `lora`, the zeros put back when it is merged.
  case loraPrune = "lora-prune"
  /// Two small factors that multiply each weight.
  case scaleLoRA = "scale-lora"
  /// Two small factors added to each matrix where it is not zero.
  case maskLoRA = "mask-lora"
  /// Two small factors that multiply each weight, added to it.
  case spp
  /// Every weight of the linear layers in the blocks that is not zero.
  case full

  /// How the weight matrices are changed; nil for groups that leave them, or train them as they are.
  var adapter: AdapterKind? { AdapterKind(rawValue: rawValue) }

  /// Whether the weight matrices in the blocks change.
  var changesMatrices: Bool { adapter != nil || self == .full }
}

extension Sequence<TrainedGroup> {
  /// The groups in the order of the list above, each once.
  var sortedGroups: [TrainedGroup] {
    let chosen = Set(self)
    return TrainedGroup.allCases.filter(chosen.contains)
  }
}

/// What is trained and how.
public struct TrainingChoice: Sendable, Equatable {
  /// The values that are trained.
  public var groups: [TrainedGroup]
  /// The steps of the optimizer.
  public var steps: Int
  /// The highest learning rate.
  public var learningRate: Double
  /// How the rate goes on after its rise.
  public var schedule: RateShape
  /// The share of the steps in which the rate rises.
  public var warmUp: Double
  /// The share of the highest rate that the fall leads to.
  public var finalRate: Double
  /// How fast weights and factors decay, in units of the rate; biases and norms do not.
  public var weightDecay: Double
  /// How much of the running mean of gradients stays in a step.
  public var meanDecay: Double
  /// How much of the running mean of squared gradients stays in a step.
  public var squareDecay: Double
  /// The largest norm of the gradient; nil for none.
  public var clip: Double?
  /// The inner extent of the two small factors.
  public var rank: Int
  /// The strength of the two small factors; they are multiplied by `alpha / rank`.
  public var alpha: Double
  /// Whether layers without a bias get one, which is zero at first.
  public var addsBiases: Bool
  /// The seed of the factors' start and of the windows' order.
  public var seed: UInt64

  /// The settings of PERP, at a rate in the middle of its grid.
  public init(groups: [TrainedGroup], steps: Int = 1000, learningRate: Double = 1e-4) {
    self.groups = groups
    self.steps = steps
    self.learningRate = learningRate
    schedule = .linear
    warmUp = 0.1
    finalRate = 0
    weightDecay = 0
    meanDecay = 0.9
    squareDecay = 0.999
    clip = nil
    rank = 16
    alpha = 32
    addsBiases = false
    seed = 0
  }

  /// The optimizer.
  func optimizer() throws -> AdamW {
    var optimizer = AdamW()
    optimizer.meanDecay = meanDecay
    optimizer.squareDecay = squareDecay
    optimizer.weightDecay = weightDecay
    optimizer.largestNorm = clip
    try optimizer.check()
    return optimizer
  }

  /// The course of the learning rate.
  func course() throws -> LearningRate {
    try LearningRate(
      peak: learningRate,
      shape: schedule,
      warmUp: warmUp,
      steps: steps,
      floor: finalRate
    )
  }

  /// Refuses settings that cannot be, before any work.
  ///
  /// - Throws: ``JobError`` or `TrainingError`.
  func check() throws {
    guard !groups.isEmpty else { throw JobError.badSetting("nothing is to be trained") }
    let matrices = groups.sortedGroups.filter(\.changesMatrices)
    guard matrices.count <= 1 else {
      let names = matrices.map(\.rawValue).joined(separator: " and ")
      throw JobError.badSetting("\(names) both change the weight matrices; choose one")
    }
    guard !groups.contains(.head) || !groups.contains(.embeddings) else {
      throw JobError.badSetting("head and embeddings both change the output projection; choose one")
    }
    guard !addsBiases || groups.contains(.biases) else {
      throw JobError.badSetting("added biases are of use only where biases are trained")
    }
    _ = try optimizer()
    _ = try course()
    _ = try AdapterShape(rank: rank, alpha: alpha)
  }
}
