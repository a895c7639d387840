import Depth
import Foundation

/// How Shapley values are estimated.
public struct ShapleyChoice: Sendable, Equatable {
  /// The most walks; they come in pairs, an order and its reverse.
  public var walks: Int
  /// How many of the lowest units' ranks have to be stable before the walks end; nil for a third of
  /// the units.
  public var lowest: Int?

  /// An estimate; 32 walks at most unless stated.
  public init(walks: Int = 32, lowest: Int? = nil) {
    self.walks = walks
    self.lowest = lowest
  }

  /// The sampler for some units; a walk ends at the loss of a model that knows nothing: all tokens
  /// of the vocabulary equally likely.
  func sampler(units: Int, vocabulary: Int, seed: UInt64) -> ShapleySampler {
    ShapleySampler(
      mostPairs: max(1, walks / 2),
      lowest: lowest ?? max(1, units / 3),
      cap: log(Double(vocabulary)),
      seed: seed
    )
  }
}

/// What ``depth(_:progress:)`` is asked to do.
public struct DepthScoreOptions: Sendable {
  /// A directory, or `org/name` in the local Hugging Face cache.
  public var model: String
  /// Where the tokens come from.
  public var input: TokenInput
  /// The windows that are drawn from them.
  public var windows: WindowChoice
  /// The units to score.
  public var structure: DepthStructure
  /// The scores, in the order of the columns.
  public var metrics: [DepthMetric]
  /// For blocks and the scores that compare states: how many consecutive blocks count as one.
  public var span: Int
  /// How Shapley values are estimated.
  public var shapley: ShapleyChoice

  /// Scores of units.
  public init(
    model: String,
    input: TokenInput,
    windows: WindowChoice,
    structure: DepthStructure,
    metrics: [DepthMetric],
    span: Int = 1,
    shapley: ShapleyChoice = ShapleyChoice()
  ) {
    self.model = model
    self.input = input
    self.windows = windows
    self.structure = structure
    self.metrics = metrics
    self.span = span
    self.shapley = shapley
  }
}
