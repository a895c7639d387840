public import Depth
public import Export
public import Foundation

/// How many blocks or parts go.
public enum DepthAmount: Sendable, Equatable {
  /// So many units.
  case count(Int)
  /// As many units as make up at least this share of the prunable weights, counted by their mean
  /// size.
  case share(Double)
  /// The units of these blocks, counted from 0, whatever they are worth.
  case blocks([Int])
}

/// Which blocks or parts go.
public enum DepthCriterion: Sendable, Equatable {
  /// By their place alone.
  case position(PositionScheme)
  /// Those with the lowest scores.
  case score(DepthMetric)

  /// Its name on the command line.
  public var name: String {
    switch self {
    case .position(let scheme): scheme.rawValue
    case .score(let metric): metric.rawValue
    }
  }
}

/// What ``pruneDepth(_:progress:)`` is asked to do.
public struct DepthPruneOptions: Sendable {
  /// A directory, or `org/name` in the local Hugging Face cache.
  public var model: String
  /// What is removed whole.
  public var structure: DepthStructure
  /// How much of it.
  public var amount: DepthAmount
  /// Which of it, unless the amount names blocks.
  public var criterion: DepthCriterion
  /// Whether one unit goes at a time and the others are scored anew.
  public var isIterative = false
  /// Blocks at the start that stay as they are.
  public var keepFirst = 0
  /// Blocks at the end that stay as they are.
  public var keepLast = 0
  /// How Shapley values are estimated.
  public var shapley = ShapleyChoice()
  /// How what is gone is made up for.
  public var emulation = DepthEmulation.none
  /// The tokens that scores are computed from and losses are measured on.
  public var input: TokenInput?
  /// The windows that are drawn from them.
  public var windows: WindowChoice
  /// The shapes to write; nil for those that suit what is removed.
  public var profile: Profile?
  /// The checkpoint directory to write.
  public var output: URL
  /// Whether an existing checkpoint directory is replaced.
  public var overwrite = false

  /// A removal of blocks or parts.
  public init(
    model: String,
    structure: DepthStructure,
    amount: DepthAmount,
    criterion: DepthCriterion,
    input: TokenInput? = nil,
    windows: WindowChoice = WindowChoice(),
    output: URL
  ) {
    self.model = model
    self.structure = structure
    self.amount = amount
    self.criterion = criterion
    self.input = input
    self.windows = windows
    self.output = output
  }
}

extension DepthPruneOptions {
  /// Whether tokens are needed.
  var needsData: Bool {
    if emulation.kind != nil { return true }
    guard case .score = criterion else { return false }
    if case .blocks = amount { return false }
    return true
  }

  /// Refuses what makes no sense for a model.
  ///
  /// - Parameter blocks: The number of blocks.
  /// - Throws: ``JobError/badSetting(_:)``.
  func check(blocks: Int) throws {
    guard !needsData || input != nil else {
      let name = emulation.kind == nil ? criterion.name : "\(emulation)"
      throw JobError.badSetting("\(name) looks at the model's states: give tokens")
    }
    if emulation == .merge, structure.kinds != [.blocks] {
      throw JobError.badSetting("only whole blocks can be merged: give --structure blocks")
    }
    if isIterative {
      guard case .score(let metric) = criterion, metric != .shapley else {
        throw JobError.badSetting("\(criterion.name) is not computed anew after each removal")
      }
    }
    guard keepFirst >= 0, keepLast >= 0, keepFirst < blocks, keepLast < blocks - keepFirst else {
      throw JobError.badSetting("of \(blocks) blocks, too many are kept for any to go")
    }
    switch amount {
    case .count(let count):
      guard count >= 1 else { throw JobError.badSetting("at least one unit goes") }
    case .share(let share):
      guard share > 0, share < 1 else {
        throw JobError.badSetting("the share is above 0 and below 1")
      }
    case .blocks(let list):
      guard let most = list.max(), let least = list.min() else {
        throw JobError.badSetting("at least one block is named")
      }
      guard least >= 0, most < blocks else {
        throw JobError.badSetting(
          "there is no block \(least < 0 ? least : most): they are numbered 0 to \(blocks - 1)"
        )
      }
    }
  }
}
