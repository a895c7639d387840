import Checkpoint
import ExactJSON
import Foundation
import MessagePassing
import Pruning
import Transformer

/// A shot by a method that compares all layers.
extension PruneRun {
  /// Chooses among all layers at once, by the curvature of the loss.
  ///
  /// - Parameters:
  ///   - shot: The number of the shot.
  ///   - settings: The method and what to remove.
  ///   - progress: Hears how it goes on.
  /// - Returns: The result; nil on all ranks but the first.
  /// - Throws: What reading the model, calibrating, and the solver throw.
  func byCurvature(
    _ shot: Int,
    _ settings: PruningSettings,
    progress: any ProgressListener
  ) throws -> ShotResult? {
    let source = try tensors(after: shot - 1, isRounded: false)
    let model = try opened.model(with: source)
    let statistics = try statistics(for: shot, of: model, progress: progress)
    let layers = try ModelLayers(
      model.linears,
      source: source,
      statistics: statistics,
      structure: settings.structure
    )
    var solver = try PruningRun(
      store: layers,
      settings: settings,
      consequences: model.consequences(for: settings),
      scratch: scratch,
      journal: journal(shot, settings)
    )
    let count = ranks.map { layers.share(of: $0).count } ?? layers.layers.count
    let meter = SolverMeter(progress, layers: count, settings: settings)
    var widths: [BlockWidths]?
    let plan = try meter.choosing { handler in
      guard settings.structure.isUnits else { return try solver.choose(progress: handler) }
      let choice = try chooseUnits(shot, of: model, layers, settings, progress: handler)
      widths = choice.widths
      return choice.plan
    }
    let repaired = try meter.repairing { handler in
      try repair(plan, by: solver, of: model, statistics, progress: handler)
    }
    guard let repaired else { return nil }
    return ShotResult(
      plan: plan,
      figures: try repaired.figures(),
      weights: repaired.weights,
      layers: layers.layers,
      lossBefore: statistics?.manifest.loss,
      widths: widths
    )
  }

  /// Where the solver's work for a shot is kept; nil for methods without a repair, whose work is done again
  /// as fast as it is read, unless ranks share it.
  private func journal(_ shot: Int, _ settings: PruningSettings) -> ShotJournal? {
    settings.method.repairs || ranks != nil ? files.journal(shot) : nil
  }

  /// Repairs what a plan leaves, for the inputs that the options name; nil where another rank receives it.
  private func repair(
    _ plan: PruningPlan,
    by solver: PruningRun,
    of model: DecoderModel,
    _ statistics: StatisticsDirectory?,
    progress: @escaping ProgressHandler
  ) throws -> RepairedLayers? {
    guard isWriting else {
      try solver.repair(plan, progress: progress) { _, _ in }
      return nil
    }
    var layers = try RepairedLayers(model.linears, scratch: scratch)
    guard options.solver.repair == .sequential, let statistics else {
      try solver.repair(plan, progress: progress) { try layers.receive($0, $1) }
      return layers
    }
    try SequentialRepair(
      opened: opened,
      model: model,
      windows: try statistics.windows(),
      solver: solver,
      plan: plan
    ).repair(progress: progress) { try layers.receive($0, $1) }
    return layers
  }

  /// Chooses neurons and heads for a shot.
  private func chooseUnits(
    _ shot: Int,
    of model: DecoderModel,
    _ layers: ModelLayers,
    _ settings: PruningSettings,
    progress: @escaping ProgressHandler
  ) throws -> (plan: PruningPlan, widths: [BlockWidths]) {
    let units = model.units(options.removal.headUnit)
    let whole = try options.widthGoal(of: opened, units)
    let goal = whole.eased(
      from: whole.measure.value(of: units.widths),
      progress: share(after: shot)
    )
    var run = try UnitRun(
      store: layers,
      settings: settings,
      model: units,
      goal: goal,
      journal: journal(shot, settings)
    )
    return (try run.choose(progress: progress), run.widths)
  }

  /// The curvature for a shot: given, or measured at the weights after the shot before.
  func statistics(
    for shot: Int,
    of model: DecoderModel,
    progress: any ProgressListener
  ) throws -> StatisticsDirectory? {
    switch input {
    case .none: return nil
    case .statistics(let statistics, _): return statistics
    case .windows(let first, let labels, let drawn):
      let isFresh = options.schedule.data == .fresh && shot > 1
      let windows = isFresh ? try drawn.windows(shot: shot) : first
      let complete = files.completeStatistics(shot)
      try agreeOnState(.bool(complete != nil))
      if let complete { return try StatisticsDirectory(complete) }
      let folder = files.statistics(shot)
      if isWriting {
        files.removeOtherStatistics(shot)
        try makeDirectory(folder)
      }
      var manifest = StatisticsManifest(
        of: model,
        family: opened.configuration.modelType,
        fingerprint: fingerprint,
        windows: windows,
        labels: labels,
        precision: options.memory.precision,
        compute: options.compute,
        seed: drawn.seed(shot: isFresh ? shot : 1)
      )
      if let ranks {
        let measurement = try JointMeasurement(
          of: model,
          manifest,
          windows,
          memory: options.memory,
          ranks: ranks
        )
        try measure(measurement, into: folder, progress: progress)
      } else {
        try manifest.measure(
          model,
          windows,
          memory: options.memory,
          into: folder,
          progress: progress
        )
      }
      return try StatisticsDirectory(folder)
    }
  }

  /// Calibrates together with the other ranks.
  private func measure(
    _ measurement: JointMeasurement,
    into folder: URL,
    progress: any ProgressListener
  ) throws {
    // The first rank has made the folder.
    try measurement.ranks.meet()
    let state = folder.appending(path: measurement.ranks.name, directoryHint: .isDirectory)
    try makeOnlyDirectory(state)
    _ = try measurement.finish(state, isWriting ? folder : nil, progress: progress)
    // What could still be needed is removed only when nothing is needed any more.
    try measurement.ranks.meet()
    try? FileManager.default.removeItem(at: state)
  }
}
