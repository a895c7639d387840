import Checkpoint
import Export
import Foundation
import Pruning
import Report
import Tensors
import Transformer

/// What a pruning to each of several targets would leave, from one set of statistics.
///
/// Nothing is written, and no loss is measured: the rises are predictions, the same that ``prune``
/// reports.
///
/// - Parameters:
///   - options: The model, the data, and what to remove. The target, the shots and where the result
///     goes are not looked at.
///   - targets: The shares of the prunable weights to remove.
///   - progress: Hears how it goes on.
/// - Returns: A point for each target, in their order.
/// - Throws: ``JobError``, or an error of the model, the solver or files, each one line of text.
public func sweep(
  _ options: PruneOptions,
  targets: [Double],
  progress: any ProgressListener = SilentProgress()
) throws -> SweepCurve {
  let options = try options.swept(over: targets)
  let opened = try OpenedModel(options.model)
  let (input, fingerprint) = try options.checkedInput(of: opened)
  return try withTemporaryFolder(in: options.memory.scratch) { folder in
    let run = PruneRun(
      options: options,
      opened: opened,
      fingerprint: fingerprint,
      input: input,
      files: ShotFiles(folder: folder),
      heldOut: nil,
      report: try PruningReport(
        opened,
        options,
        try options.settings(target: nil),
        input: input,
        fingerprint: fingerprint
      )
    )
    return try run.curve(targets, progress: progress)
  }
}

extension PruneOptions {
  /// The same for the first of several targets, all of which are checked.
  ///
  /// - Throws: ``JobError/badSetting(_:)`` for a method that predicts nothing or without targets,
  ///   `PruningError` if a target is out of range.
  func swept(over targets: [Double]) throws -> PruneOptions {
    guard let first = targets.first else { throw JobError.badSetting("a sweep needs targets") }
    guard !removal.method.isLayerLocal else {
      throw JobError.badSetting(
        "method \(removal.method.rawValue) predicts no rise of the loss; prune to each target"
      )
    }
    guard solver.repair != .sequential else {
      throw JobError.badSetting(
        "a sweep repairs all layers at once: leave out the sequential repair"
      )
    }
    try checkCompute()
    var result = self
    result.removal.size = nil
    result.shots = 1
    result.schedule = ShotSchedule()
    for target in targets { _ = try result.aimed(at: target).settings(target: nil) }
    return result.aimed(at: first)
  }

  /// Opens what a sweep looks at, and checks all that can be checked before any work.
  ///
  /// - Parameter opened: The model.
  /// - Returns: The data, and the model's fingerprint.
  /// - Throws: ``JobError``, or an error of the model or files.
  func checkedInput(of opened: OpenedModel) throws -> (input: PruneInput, fingerprint: String) {
    try checkTiming(of: opened)
    let fingerprint = try opened.fingerprint()
    let input = try PruneInput(data, opened: opened, fingerprint: fingerprint)
    try checkMemory(of: opened, try settings(target: nil), input)
    return (input, fingerprint)
  }

  /// The same with another share to remove.
  fileprivate func aimed(at target: Double) -> PruneOptions {
    var result = self
    result.removal.target = target
    return result
  }
}

extension PruneRun {
  /// What each target would leave.
  fileprivate func curve(
    _ targets: [Double],
    progress: any ProgressListener
  ) throws -> SweepCurve {
    let statistics = try statistics(for: 1, of: opened.model, progress: progress)
    let layers = try ModelLayers(
      opened.model.linears,
      source: opened.directory.tensors,
      statistics: statistics,
      structure: options.removal.structure
    )
    let points =
      options.removal.structure.isUnits
      ? try unitPoints(targets, layers, progress: progress)
      : try targets.map { try point($0, layers, progress: progress) }
    return SweepCurve(
      model: opened.recordedName,
      settings: try options.settings(target: nil),
      lossBefore: statistics?.manifest.loss,
      points: points
    )
  }

  /// A target for single weights, rows or columns: chosen as a pruning would.
  private func point(
    _ target: Double,
    _ layers: ModelLayers,
    progress: any ProgressListener
  ) throws -> SweepPoint {
    let settings = try options.aimed(at: target).settings(target: nil)
    var solver = try PruningRun(
      store: layers,
      settings: settings,
      consequences: opened.model.consequences(for: settings),
      scratch: scratch
    )
    let meter = SolverMeter(progress, layers: layers.layers.count, settings: settings)
    let plan = try meter.choosing { try solver.choose(progress: $0) }
    return try SweepPoint(
      target: target,
      left: SweepPoint.Left(
        shareRemoved: plan.removedShare,
        predictedRise: try rise(plan, solver, meter),
        parameters: opened.parameters - plan.removedWeights,
        bytes: bytesOfFullShapes()
      )
    )
  }

  /// The predicted rise of a plan, for which some take the repair; nil without data.
  private func rise(
    _ plan: PruningPlan,
    _ solver: PruningRun,
    _ meter: SolverMeter
  ) throws -> Double? {
    if case .none = input { return nil }
    if plan.isPredictedByCosts { return plan.layers.reduce(0) { $0 + $1.predictedCost } }
    var sum = 0.0
    try meter.repairing { handler in
      try solver.repair(plan, progress: handler) { sum += plan.predictedRise(of: $0, $1.figures) }
    }
    return sum
  }

  /// The targets for neurons and heads: every part's path is followed once.
  private func unitPoints(
    _ targets: [Double],
    _ layers: ModelLayers,
    progress: any ProgressListener
  ) throws -> [SweepPoint] {
    let settings = try options.settings(target: nil)
    let units = opened.model.units(options.removal.headUnit)
    let goals = targets.map {
      WidthGoal(removing: $0, of: opened.model.prunableWeights, from: units.widths)
    }
    let meter = SolverMeter(progress, layers: layers.layers.count, settings: settings)
    let run = try UnitRun(store: layers, settings: settings, model: units, goal: goals[0])
    let solver = try PruningRun(store: layers, settings: settings)
    let choices = try meter.choosing { try run.curve(goals, progress: $0) }
    let measures = try sizeMeasures(units)
    return try zip(targets, choices).map { target, choice in
      guard let (plan, widths) = choice else { return SweepPoint(target: target, left: nil) }
      func written(_ measure: WrittenMeasure) -> Int { Int(measure.value(of: widths)) }
      return SweepPoint(
        target: target,
        left: SweepPoint.Left(
          shareRemoved: plan.removedShare,
          predictedRise: try rise(plan, solver, meter),
          parameters: measures.map { written($0.parameters) }
            ?? opened.parameters - plan.removedWeights,
          bytes: try measures.map { written($0.bytes) } ?? bytesOfFullShapes(),
          widths: widths,
          predictedSpeedup: try options.speed(of: opened, units, leaving: widths)?
            .predictedSpeedup
        )
      )
    }
  }

  /// What is counted of the written checkpoint, where its shapes follow from the widths.
  private func sizeMeasures(
    _ units: UnitModel
  ) throws -> (parameters: WrittenMeasure, bytes: WrittenMeasure)? {
    guard let sizes = options.writtenSizes(opened) else { return nil }
    return (
      try options.measure(of: .parameters(0), opened, sizes, units),
      try options.measure(of: .bytes(0), opened, sizes, units)
    )
  }

  /// The bytes of the weight files where zeros stay in their place; nil where that is not so.
  private func bytesOfFullShapes() throws -> Int? {
    guard options.writtenProfile == .masked else { return nil }
    return try opened.writtenBytes()
  }
}

extension PruningPlan {
  /// The weights that are removed, without biases.
  fileprivate var removedWeights: Int { layers.reduce(0) { $0 + $1.mask.removedWeights } }
}

/// Works in a folder that is gone afterwards, even if the process is interrupted.
private func withTemporaryFolder<Result>(
  in parent: URL?,
  _ body: (URL) throws -> Result
) throws -> Result {
  let folder = (parent ?? FileManager.default.temporaryDirectory)
    .appending(path: "surgeon-\(UUID().uuidString)", directoryHint: .isDirectory)
  StagingArea.enter(folder.path)
  defer {
    try? FileManager.default.removeItem(at: folder)
    StagingArea.leave(folder.path)
  }
  try makeDirectory(folder)
  return try body(folder)
}
