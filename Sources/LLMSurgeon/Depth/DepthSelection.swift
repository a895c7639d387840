import Depth
import Foundation
import Transformer

/// Which blocks or parts of a model go.
struct DepthSelection {
  let options: DepthPruneOptions
  let model: DecoderModel
  /// Scores units; nil without tokens.
  let evaluator: DepthEvaluator?

  private var blocks: Int { model.decoder.blocks }

  /// The units that may go, block after block.
  private var candidates: [DepthUnit] {
    options.structure.units(blocks: blocks).filter {
      options.keepFirst..<blocks - options.keepLast ~= $0.block
    }
  }

  /// Chooses.
  ///
  /// - Parameter progress: Hears how scoring goes on.
  /// - Returns: The units in the order in which they go.
  /// - Throws: ``JobError/badSetting(_:)`` where too much would go, `DepthError`, or what running the
  ///   model throws.
  func units(progress: any ProgressListener) throws -> [DepthUnit] {
    let chosen: [DepthUnit]
    switch (options.amount, options.criterion) {
    case (.blocks(let list), _):
      let wanted = Set(list)
      chosen = options.structure.units(blocks: blocks).filter { wanted.contains($0.block) }
    case (_, .position(let scheme)): chosen = try byPosition(scheme)
    case (_, .score(let metric)): chosen = try byScore(metric, progress: progress)
    }
    guard !DepthMask(blocks: blocks, without: chosen).running.isEmpty else {
      throw JobError.badSetting("nothing would be left of the \(blocks) blocks; remove fewer")
    }
    return chosen
  }

  /// How many units go.
  private func count() throws -> Int {
    let most = candidates.count
    let count: Int
    switch options.amount {
    case .count(let wanted): count = wanted
    case .blocks(let list): count = list.count
    case .share(let share):
      let sizes = candidates.map(size)
      guard let total = sizes.isEmpty ? nil : sizes.reduce(0, +), total > 0 else { return 0 }
      let whole = model.linears.reduce(0) { $0 + $1.outputs * $1.inputs }
      let units = share * Double(whole) * Double(most) / Double(total)
      // A share that is met but for rounding is met.
      count = max(1, Int((units - 1e-9).rounded(.up)))
    }
    guard count <= most else {
      throw JobError.badSetting(
        "only \(most) units (\(options.structure)) may go, not \(count): remove fewer"
      )
    }
    return count
  }

  /// The weights of a unit's linear layers.
  private func size(of unit: DepthUnit) -> Int {
    model.linears(of: unit.kind.parts, block: unit.block)
      .reduce(0) { $0 + $1.outputs * $1.inputs }
  }

  private func byPosition(_ scheme: PositionScheme) throws -> [DepthUnit] {
    guard options.structure.kinds.count == 1 else {
      throw JobError.badSetting("\(scheme.rawValue) goes by the place of one kind of unit")
    }
    let places = try scheme.removed(count(), of: blocks)
    return options.structure.units(blocks: blocks).filter { places.contains($0.block) }
  }

  private func byScore(
    _ metric: DepthMetric,
    progress: any ProgressListener
  ) throws -> [DepthUnit] {
    guard let evaluator else { throw JobError.badSetting("scores need tokens") }
    let (units, count) = (candidates, try count())
    let whole = DepthMask(keepingAll: blocks)
    if options.isIterative {
      return try Elimination.stepwise(count, of: Array(units.indices)) { left, gone in
        try evaluator.scores(
          of: left.map { units[$0] },
          metric,
          under: DepthMask(blocks: blocks, without: gone.map { units[$0] }),
          progress: progress
        )
      }.map { units[$0] }
    }
    if metric == .angular, options.structure.kinds == [.blocks] {
      return try span(of: count, evaluator, progress: progress)
    }
    let sampler = options.shapley.sampler(
      units: units.count,
      vocabulary: model.decoder.vocabulary,
      seed: options.windows.seed
    )
    let scores =
      metric == .shapley
      ? try evaluator.shapley(units, sampler, progress: progress).values
      : try evaluator.scores(of: units, metric, under: whole, progress: progress)
    return take(count, of: try Elimination.order(scores).map { units[$0] })
  }

  /// The span of consecutive blocks that turns the hidden state the least, as its authors remove it.
  private func span(
    of count: Int,
    _ evaluator: DepthEvaluator,
    progress: any ProgressListener
  ) throws -> [DepthUnit] {
    let starts = candidates.filter { $0.block + count <= blocks - options.keepLast }
    let distances = try evaluator.updates(
      of: starts,
      span: count,
      under: DepthMask(keepingAll: blocks),
      progress: progress
    ).map(\.scores.angular)
    guard let start = try Elimination.start(of: distances) else { return [] }
    return (0..<count).map { DepthUnit(kind: .blocks, block: starts[start].block + $0) }
  }

  /// The first units of an order that each take something away.
  private func take(_ count: Int, of order: [DepthUnit]) -> [DepthUnit] {
    var mask = DepthMask(keepingAll: blocks)
    var taken: [DepthUnit] = []
    for unit in order where taken.count < count && mask.runs(unit) {
      mask.remove(unit)
      taken.append(unit)
    }
    return taken
  }
}

extension DepthEvaluator {
  /// The scores of units by a metric that is not Shapley's, of a model from which others are gone.
  func scores(
    of units: [DepthUnit],
    _ metric: DepthMetric,
    under mask: DepthMask,
    progress: any ProgressListener
  ) throws -> [Double] {
    switch metric {
    case .curvature: try curvature(of: units, under: mask, progress: progress)
    case .logits, .loss: try leaveOneOut(units, under: mask, metric, progress: progress)
    default:
      try updates(of: units, under: mask, progress: progress)
        .compactMap { metric.value(of: $0.scores) }
    }
  }
}
