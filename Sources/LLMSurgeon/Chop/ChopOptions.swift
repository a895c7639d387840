public import Depth
public import Export
public import Foundation
import Training

/// How many blocks go, or which.
public enum ChopAmount: Sendable, Equatable {
  /// So many.
  case remove(Int)
  /// All but so many.
  case keep(Int)
  /// These, counted from 0; never the first or the last.
  case blocks([Int])
}

/// Which blocks go, and when.
public struct ChopRemoval: Sendable, Equatable {
  /// How many, or which.
  public var amount: ChopAmount
  /// Which, unless the amount names them.
  public var scheme: PositionScheme
  /// The steps of ordinary training before the first block goes.
  public var stepsBefore: Int
  /// The steps between one block and the next, which go in ascending order; 0 for all at once.
  public var interval: Int

  /// A removal at once, without training before, unless stated.
  public init(
    _ amount: ChopAmount,
    by scheme: PositionScheme = .input,
    stepsBefore: Int = 0,
    interval: Int = 0
  ) {
    self.amount = amount
    self.scheme = scheme
    self.stepsBefore = stepsBefore
    self.interval = interval
  }
}

/// A request to a model, for whose time it is measured.
public struct Query: Sendable, Equatable {
  /// The tokens that are read.
  public var promptTokens: Int
  /// The tokens that are written, at least 2.
  public var newTokens: Int

  /// A request.
  public init(promptTokens: Int, newTokens: Int) {
    self.promptTokens = promptTokens
    self.newTokens = newTokens
  }

  /// Reads tokens read and written such as `128+128`; nil for anything else.
  public init?(_ text: String) {
    let parts = text.split(separator: "+", omittingEmptySubsequences: false)
    guard parts.count == 2, let prompt = Int(parts[0]), let new = Int(parts[1]),
      1...1_000_000 ~= prompt, 2...1_000_000 ~= new
    else { return nil }
    self.init(promptTokens: prompt, newTokens: new)
  }
}

/// What ``chop(_:progress:)`` is asked to do.
public struct ChopOptions: Sendable {
  /// A directory, or `org/name` in the local Hugging Face cache.
  public var model: String
  /// The tokens.
  public var data: TrainingData
  /// Which blocks go, and when.
  public var removal: ChopRemoval
  /// How all values are trained; the steps are those after the first removal, from 0.
  public var training: TrainingChoice
  /// What the model as it came teaches.
  public var distillation = Distillation()
  /// The request that is timed before and after; nil for none.
  public var query: Query?
  /// The shapes to write; nil for those of an ordinary model of fewer blocks.
  public var profile: Profile?
  /// The checkpoint directory to write.
  public var output: URL
  /// Whether an existing checkpoint directory is replaced.
  public var overwrite = false

  /// A removal of blocks, and training.
  public init(
    model: String,
    data: TrainingData,
    removal: ChopRemoval,
    training: TrainingChoice = .pretraining(),
    output: URL
  ) {
    self.model = model
    self.data = data
    self.removal = removal
    self.training = training
    self.output = output
  }

  /// Refuses settings that cannot be, before any work.
  ///
  /// - Throws: ``JobError`` or `TrainingError`.
  func check() throws {
    try data.check()
    try distillation.check()
    for (name, steps) in [
      ("steps", training.steps), ("steps before the removal", removal.stepsBefore),
      ("steps between two removals", removal.interval),
    ] where !(0...10_000_000 ~= steps) {
      throw JobError.badSetting("the number of \(name) is \(steps); it is from 0 to 10000000")
    }
    var training = training
    training.steps = max(1, training.steps)
    try training.check()
    guard training.groups.sortedGroups == TrainingChoice.pretraining().groups.sortedGroups else {
      throw JobError.badSetting("all values of the model are trained after a removal of blocks")
    }
    if let query, query.promptTokens < 1 || query.newTokens < 2 {
      throw JobError.badSetting("a query reads a token at least and writes two")
    }
  }
}

extension TrainingChoice {
  /// Continued pretraining of all values with the settings of "Just CHOP" for AdamW (arXiv
  /// 2305.14864, appendix): the rate rises, then falls along a cosine to a tenth of its peak.
  ///
  /// - Parameters:
  ///   - steps: The steps of the optimizer.
  ///   - learningRate: The highest learning rate, which is that of the first pretraining.
  /// - Returns: The settings.
  public static func pretraining(
    steps: Int = 1000,
    learningRate: Double = 3e-4
  ) -> TrainingChoice {
    var choice = TrainingChoice(
      groups: [.biases, .norms, .embeddings, .full],
      steps: steps,
      learningRate: learningRate
    )
    choice.schedule = .cosine
    choice.finalRate = 0.1
    choice.weightDecay = 0.1
    choice.squareDecay = 0.95
    choice.clip = 1
    return choice
  }
}
