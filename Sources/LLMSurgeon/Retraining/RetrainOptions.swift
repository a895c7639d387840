public import Foundation

/// The tokens that a training works on and is judged by.
public struct TrainingData: Sendable, Equatable {
  /// The tokens to train on; a text is cut into windows without overlap, and without padding.
  public var input: TokenInput
  /// The tokens of a window; nil for 2048 or what the model takes, or a token file's row.
  public var length: Int?
  /// The windows that go through the model at once.
  public var batch: Int
  /// How many such batches make one step.
  public var accumulation: Int
  /// Tokens that are not trained on, for a perplexity on the way and at the end.
  public var heldOut: TokenInput?
  /// The most windows of the held-out tokens; nil for all.
  public var heldOutWindows: Int?
  /// After how many steps the held-out perplexity is measured and the state is saved; nil for a
  /// tenth of the steps.
  public var interval: Int?

  /// Training on some tokens.
  public init(input: TokenInput, length: Int? = nil, batch: Int = 8) {
    self.input = input
    self.length = length
    self.batch = batch
    accumulation = 1
  }

  /// Refuses settings that cannot be.
  func check() throws {
    for (name, value) in [
      ("batch", batch), ("accumulation", accumulation), ("interval", interval ?? 1),
    ] where !(1...1_000_000 ~= value) {
      throw JobError.badSetting("the \(name) is \(value); it must be from 1 to 1000000")
    }
  }

  /// The windows to train on.
  func trainingWindows(of opened: OpenedModel) throws -> TokenWindows {
    try input.leadingWindows(
      count: nil,
      length: length,
      longest: opened.usualLength,
      tokenizer: opened.directoryURL
    )
  }

  /// The windows that are held out, as long as those of the training unless a token file has others.
  func heldOutWindows(of opened: OpenedModel, length: Int) throws -> TokenWindows? {
    try heldOut?.heldOutWindows(count: heldOutWindows, length: length, of: opened)
  }
}

/// What ``retrain(_:progress:)`` is asked to do.
public struct RetrainOptions: Sendable {
  /// A directory, or `org/name` in the local Hugging Face cache.
  public var model: String
  /// The tokens.
  public var data: TrainingData
  /// What is trained and how.
  public var training: TrainingChoice
  /// The checkpoint directory to write.
  public var output: URL
  /// Whether an existing checkpoint directory is replaced.
  public var overwrite: Bool

  /// A retraining of a model on some tokens.
  public init(
    model: String,
    data: TrainingData,
    training: TrainingChoice,
    output: URL,
    overwrite: Bool = false
  ) {
    self.model = model
    self.data = data
    self.training = training
    self.output = output
    self.overwrite = overwrite
  }
}
