import Depth
import Foundation
import Transformer

/// Scores blocks or their parts by how much they matter, without writing anything.
///
/// - Parameters:
///   - options: The model, the tokens, the units and the scores.
///   - progress: Hears how it goes on.
/// - Returns: The scores.
/// - Throws: ``JobError``, or an error of the model, tokenizer or files.
public func depth(
  _ options: DepthScoreOptions,
  progress: any ProgressListener = SilentProgress()
) throws -> DepthScores {
  let opened = try OpenedModel(options.model)
  try options.check(blocks: opened.model.decoder.blocks)
  let windows = try opened.calibrationWindows(options.input, options.windows)
  let evaluator = try DepthEvaluator(opened.model, windows)
  var scoring = DepthScoring(
    evaluator: evaluator,
    units: options.units(blocks: opened.model.decoder.blocks),
    span: options.span,
    shapley: options.shapley,
    seed: options.windows.seed
  )
  let columns = try options.metrics.map { try scoring.column($0, progress: progress) }
  return DepthScores(
    model: opened.recordedName,
    structure: options.structure,
    span: options.span,
    units: scoring.units,
    columns: columns,
    windows: windows
  )
}

extension DepthScoreOptions {
  /// The units, or the blocks at which spans begin.
  fileprivate func units(blocks: Int) -> [DepthUnit] {
    structure.units(blocks: blocks).filter { $0.block + span <= blocks }
  }

  /// Refuses what makes no sense.
  fileprivate func check(blocks: Int) throws {
    guard !metrics.isEmpty else { throw JobError.badSetting("at least one score is needed") }
    guard span >= 1, span <= blocks else {
      throw JobError.badSetting("a span has from 1 to \(blocks) blocks")
    }
    guard span == 1 || structure.kinds == [.blocks] else {
      throw JobError.badSetting("spans of several blocks are for --structure blocks")
    }
    if span > 1, let metric = metrics.first(where: { !$0.comparesStates }) {
      throw JobError.badSetting(
        "\(metric.rawValue) scores single units: leave out --span, or choose a score that compares "
          + "hidden states"
      )
    }
    guard shapley.walks >= 2 else { throw JobError.badSetting("walks come in pairs: 2 or more") }
  }
}

extension DepthMetric {
  /// Whether it looks at nothing but hidden states of the whole model.
  var comparesStates: Bool {
    switch self {
    case .curvature, .logits, .loss, .shapley: false
    case .cosine, .angular, .l1, .l2, .relativeL1, .relativeL2: true
    }
  }
}

/// Scores the units of one model by several metrics, with what they share computed once.
struct DepthScoring {
  let evaluator: DepthEvaluator
  let units: [DepthUnit]
  let span: Int
  let shapley: ShapleyChoice
  let seed: UInt64
  private var updates: [UpdateSums.Scores]?

  init(
    evaluator: DepthEvaluator,
    units: [DepthUnit],
    span: Int,
    shapley: ShapleyChoice,
    seed: UInt64
  ) {
    self.evaluator = evaluator
    self.units = units
    self.span = span
    self.shapley = shapley
    self.seed = seed
  }

  /// The scores by one metric, of the whole model.
  mutating func column(
    _ metric: DepthMetric,
    progress: any ProgressListener
  ) throws -> DepthScores.Column {
    let mask = DepthMask(keepingAll: evaluator.model.decoder.blocks)
    if metric == .shapley {
      let sampler = shapley.sampler(
        units: units.count,
        vocabulary: evaluator.model.decoder.vocabulary,
        seed: seed
      )
      let estimate = try evaluator.shapley(units, sampler, progress: progress)
      return DepthScores.Column(
        metric: metric,
        values: estimate.values,
        standardErrors: estimate.standardErrors,
        walks: 2 * estimate.pairs
      )
    }
    guard metric.comparesStates else {
      let values = try evaluator.scores(of: units, metric, under: mask, progress: progress)
      return DepthScores.Column(metric: metric, values: values)
    }
    if updates == nil {
      updates = try evaluator.updates(of: units, span: span, under: mask, progress: progress)
        .map(\.scores)
    }
    return DepthScores.Column(
      metric: metric,
      values: (updates ?? []).compactMap { metric.value(of: $0) }
    )
  }
}
