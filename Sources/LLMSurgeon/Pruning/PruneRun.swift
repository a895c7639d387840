import Checkpoint
import Export
import Foundation
import Pruning
import Report
import Safetensors
import Tensors
import Transformer

/// The shots of one pruning.
struct PruneRun {
  let options: PruneOptions
  let opened: OpenedModel
  let fingerprint: String
  let input: PruneInput
  let files: ShotFiles
  /// The windows that the perplexity is measured on after each shot.
  let heldOut: TokenWindows?
  var report: PruningReport

  /// Makes the shots that are not made yet and measures the loss after the last.
  mutating func finish(progress: any ProgressListener) throws {
    let done = files.lastComplete(options.shots)
    if done > 0 {
      report = try PruningReport(json: readBytes(of: files.report(done)))
      progress.note("continuing an unfinished run after shot \(done) of \(options.shots)")
      try measureHeldOut(after: done, progress: progress)
      files.clear(before: done)
    }
    for shot in done + 1..<options.shots + 1 {
      try fire(shot, progress: progress)
      try measureHeldOut(after: shot, progress: progress)
      files.clear(before: shot)
    }
    guard let windows = input.windows else { return }
    let model = try opened.model(with: try tensors(after: options.shots, isRounded: true))
    report.loss.pruned = try model.meanLoss(windows, progress: progress)
  }

  /// Measures the perplexity that the schedule asks for, unless an interrupted run has.
  private mutating func measureHeldOut(
    after shot: Int,
    progress: any ProgressListener
  ) throws {
    guard let heldOut, report.shots[shot - 1].heldOutPerplexity == nil else { return }
    let model = try opened.model(with: try tensors(after: shot, isRounded: true))
    let perplexity = exp(try model.meanLoss(heldOut, progress: progress))
    report.shots[shot - 1].heldOutPerplexity = perplexity
    progress.note("held-out perplexity \(String(format: "%.3f", perplexity))")
    try write(try report.json(), to: files.report(shot).path)
  }

  /// The model's weights after a shot; before the first, as they came.
  private func tensors(after shot: Int, isRounded: Bool) throws -> any TensorSource {
    guard shot > 0 else { return opened.directory.tensors }
    let front = try SafetensorsFile(path: files.weights(shot).path)
    return OverlayTensors(base: opened.directory.tensors, front: front, isRounded: isRounded)
  }

  /// Calibrates, chooses, repairs, and saves the result.
  private mutating func fire(_ shot: Int, progress: any ProgressListener) throws {
    if options.shots > 1 { progress.note("shot \(shot) of \(options.shots)") }
    let settings = try options.settings(target: share(after: shot))
    let result =
      settings.method.isLayerLocal
      ? try layerwise(shot, settings, progress: progress)
      : try jointly(shot, settings, progress: progress)
    if shot == 1 { report.loss.dense = result.lossBefore }
    let isOfSize = options.removal.size != nil
    if isOfSize { report.settings.targetShare = result.plan.removedShare }
    if let widths = result.widths { try report.record(widths, options, of: opened) }
    report.add(
      ShotRecord(
        number: shot,
        target: isOfSize ? result.plan.removedShare : settings.target,
        achieved: result.plan.removedShare,
        predictedRise: result.figures.indices.reduce(0) {
          $0 + result.plan.predictedRise(of: $1, result.figures[$1])
        },
        lossBefore: result.lossBefore
      ),
      result.plan,
      result.figures,
      before: result.layers
    )
    var weights = result.weights
    if shot < options.shots { try correct(&weights, progress: progress) }
    try files.save(shot, weights, report: report)
  }

  /// Trains the weights that a shot left, if that is asked for.
  private func correct(_ weights: inout RepairedWeights, progress: any ProgressListener) throws {
    guard let correction = options.schedule.correction, let windows = input.windows else { return }
    let source = OverlayTensors(
      base: opened.directory.tensors,
      front: weights,
      isRounded: false
    )
    weights.correct(
      by: try correction.correct(try opened.model(with: source), on: windows, progress: progress)
    )
  }

  /// The directory of scratch files.
  var scratch: String { (options.memory.scratch ?? files.folder).path }

  /// Where the solver's work for a shot is kept; nil for methods without a repair, whose work is done again
  /// as fast as it is read.
  private func journal(_ shot: Int, _ settings: PruningSettings) -> ShotJournal? {
    settings.method.repairs ? files.journal(shot) : nil
  }

  /// The share of the whole target, 0 to 1, that is removed after a shot.
  private func share(after shot: Int) -> Double {
    options.schedule.ramp.share(after: shot, of: options.shots)
  }

  /// Chooses among all layers at once, by the curvature of the loss.
  private func jointly(
    _ shot: Int,
    _ settings: PruningSettings,
    progress: any ProgressListener
  ) throws -> ShotResult {
    let source = try tensors(after: shot - 1, isRounded: false)
    let model = try opened.model(with: source)
    let statistics = try statistics(for: shot, of: model, progress: progress)
    let layers = try ModelLayers(model.linears, source: source, statistics: statistics)
    var solver = try PruningRun(
      store: layers,
      settings: settings,
      consequences: model.consequences(for: settings),
      scratch: scratch,
      journal: journal(shot, settings)
    )
    let meter = SolverMeter(progress, layers: layers.layers.count, settings: settings)
    var widths: [BlockWidths]?
    let plan = try meter.choosing { handler in
      guard settings.structure.isUnits else { return try solver.choose(progress: handler) }
      let choice = try chooseUnits(shot, of: model, layers, settings, progress: handler)
      widths = choice.widths
      return choice.plan
    }
    let layersAfter = try meter.repairing { handler in
      try repaired(plan, by: solver, of: model, statistics, progress: handler)
    }
    return ShotResult(
      plan: plan,
      figures: try layersAfter.figures(),
      weights: layersAfter.weights,
      layers: layers.layers,
      lossBefore: statistics?.manifest.loss,
      widths: widths
    )
  }

  /// Repairs what a plan leaves, for the inputs that the options name.
  private func repaired(
    _ plan: PruningPlan,
    by solver: PruningRun,
    of model: DecoderModel,
    _ statistics: StatisticsDirectory?,
    progress: @escaping ProgressHandler
  ) throws -> RepairedLayers {
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
      let folder = files.statistics(shot)
      let finished = folder.appending(path: StatisticsManifest.fileName)
      if !FileManager.default.fileExists(atPath: finished.path) {
        try makeDirectory(folder)
        var manifest = StatisticsManifest(
          of: model,
          family: opened.configuration.modelType,
          fingerprint: fingerprint,
          windows: windows,
          labels: labels,
          precision: options.memory.precision,
          seed: drawn.seed(shot: isFresh ? shot : 1)
        )
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

  /// Writes the model with the weights after the last shot, and the report beside it.
  func writeCheckpoint(_ report: PruneReport, progress: any ProgressListener) throws {
    let front = try SafetensorsFile(path: files.weights(options.shots).path)
    var changes = CheckpointChanges()
    changes.configuration = .legacyRotary(opened.directory.configuration)
    changes.extraFiles = [PruneReport.fileName: report.file]
    changes.replacement = { name in
      front.description(of: name) == nil ? nil : try front.floats(name)
    }
    let model = try opened.model(with: try tensors(after: options.shots, isRounded: true))
    let export = try HuggingFaceExport(
      opened.exportSource(model, fingerprint: fingerprint),
      as: options.writtenProfile,
      changes: changes
    )
    try export.write(opened.directory, to: options.output, overwrite: options.overwrite)
    for note in export.notes { progress.note(note) }
  }
}
