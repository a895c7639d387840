public import Foundation

/// How much of a model is fitted at a time.
public enum ReconstructionWindow: Sendable, Equatable, CustomStringConvertible {
  /// One weight matrix: the kept weights that solve its least-squares problem exactly.
  case matrix
  /// Attention, then the feed-forward part, of each block.
  case parts
  /// So many consecutive blocks.
  case blocks(Int)

  /// Reads `matrix`, `parts` or a number of blocks; nil for anything else.
  public init?(_ text: String) {
    switch text {
    case "matrix": self = .matrix
    case "parts": self = .parts
    default:
      guard let count = Int(text), count >= 1 else { return nil }
      self = .blocks(count)
    }
  }

  /// `matrix`, `parts` or the number of blocks.
  public var description: String {
    switch self {
    case .matrix: "matrix"
    case .parts: "parts"
    case .blocks(let count): "\(count)"
    }
  }
}

/// What a window reads while it is fitted.
public enum ReconstructionInput: String, CaseIterable, Sendable {
  /// What the windows before it hand on as they are now, pruned and fitted.
  case pruned
  /// What the dense model's windows hand on.
  case dense
}

/// What a window is fitted to.
public enum ReconstructionTarget: String, CaseIterable, Sendable {
  /// What the dense window makes of the same input, as PERP has it: what was lost before stays lost.
  case sameInput = "same-input"
  /// What the dense model has at that place.
  case densePath = "dense-path"
}

/// How a reconstruction goes from window to window.
public struct ReconstructionChoice: Sendable, Equatable {
  /// How much is fitted at a time.
  public var window: ReconstructionWindow
  /// What a window reads.
  public var inputs: ReconstructionInput
  /// What it is fitted to.
  public var target: ReconstructionTarget

  /// Blocks one by one, from what the fitted ones before them hand on to what the dense model has
  /// there, unless stated.
  public init(
    window: ReconstructionWindow = .blocks(1),
    inputs: ReconstructionInput = .pruned,
    target: ReconstructionTarget = .densePath
  ) {
    self.window = window
    self.inputs = inputs
    self.target = target
  }
}

/// What ``reconstruct(_:progress:)`` is asked to do.
public struct ReconstructOptions: Sendable {
  /// The pruned model: a directory, or `org/name` in the local Hugging Face cache.
  public var model: String
  /// The model before it was pruned.
  public var dense: String
  /// The tokens to fit on, and those that are held out.
  public var data: TrainingData
  /// Which windows of a text; a token file's rows are all taken.
  public var windows: WindowChoice
  /// The order of the work.
  public var reconstruction: ReconstructionChoice
  /// What is trained in each window and how.
  public var training: TrainingChoice
  /// The checkpoint directory to write.
  public var output: URL
  /// Whether an existing checkpoint directory is replaced.
  public var overwrite: Bool

  /// A reconstruction of a pruned model.
  public init(
    model: String,
    dense: String,
    data: TrainingData,
    windows: WindowChoice = WindowChoice(),
    reconstruction: ReconstructionChoice = ReconstructionChoice(),
    training: TrainingChoice,
    output: URL,
    overwrite: Bool = false
  ) {
    self.model = model
    self.dense = dense
    self.data = data
    self.windows = windows
    self.reconstruction = reconstruction
    self.training = training
    self.output = output
    self.overwrite = overwrite
  }

  /// Refuses settings that cannot be, before any work.
  func check() throws {
    try training.check()
    try data.check()
    guard training.groups.allSatisfy({ $0 != .head && $0 != .embeddings }), !training.addsBiases
    else {
      throw JobError.badSetting(
        "a reconstruction fits the blocks alone: no head, no embeddings and no added biases"
      )
    }
    guard reconstruction.window == .matrix else { return }
    let groups = training.groups.sortedGroups
    guard groups == [.full] || groups == [.biases, .full] else {
      throw JobError.badSetting(
        "matrices are solved for full, or biases and full; train other groups in wider windows"
      )
    }
  }
}
