import Checkpoint
import ExactJSON
import Export
import Foundation
import Pruning
import Report
import Safetensors
import Tensors
import Transformer

/// Removes weights from a model, repairs the rest, and writes a checkpoint that ordinary software
/// loads.
///
/// With several shots the model is calibrated anew after each. An interrupted run continues when it
/// is called again with the same options, and ends with the same bytes.
///
/// - Parameters:
///   - options: The model, the data, what to remove, and where the result goes.
///   - progress: Hears how it goes on.
/// - Returns: Where the budget went and what it cost; the same lies beside the checkpoint.
/// - Throws: ``JobError``, or an error of the model, the solver or files, each one line of text.
public func prune(
  _ options: PruneOptions,
  progress: any ProgressListener = SilentProgress()
) throws -> PruneReport {
  guard options.shots >= 1 else { throw JobError.badSetting("there is at least one shot") }
  if case .statistics = options.data, options.shots > 1 {
    throw JobError.badSetting("several shots calibrate between them: give tokens, not statistics")
  }
  if options.removal.method.isLayerLocal, options.shots > 1 {
    throw JobError.badSetting("method \(options.removal.method.rawValue) knows one shot only")
  }
  try checkOutput(
    options.output,
    mark: ModelDirectory.configurationName,
    overwrite: options.overwrite
  )
  let settings = try options.settings(target: nil)
  let opened = try OpenedModel(options.model)
  try HuggingFaceExport.check(options.writtenProfile, opened.configuration)
  try options.checkSize(of: opened, settings)
  try options.checkPlace(apartFrom: opened.directory)
  let fingerprint = try opened.fingerprint()
  let input = try PruneInput(options.data, opened: opened, fingerprint: fingerprint)
  if case .windows(let first, _, let drawn) = input, options.shots > 1,
    options.schedule.data == .fresh
  {
    try drawn.checkFresh(against: first)
  }
  let identity = options.identity(settings, input: input, fingerprint: fingerprint)
  let folder = try UnfinishedFolder(for: options.output, identity: identity)
  var run = PruneRun(
    options: options,
    opened: opened,
    fingerprint: fingerprint,
    input: input,
    files: ShotFiles(folder: folder.url),
    heldOut: try options.heldOutWindows(opened, length: input.windows?.length),
    report: try PruningReport(opened, options, settings, input: input, fingerprint: fingerprint)
  )
  let report = try folder.run {
    try run.finish(progress: progress)
    let report = try PruneReport(run.report)
    try run.writeCheckpoint(report, progress: progress)
    return report
  }
  folder.discard()
  return report
}

extension PruneOptions {
  /// The profile of the checkpoint.
  var writtenProfile: Profile {
    profile ?? .standard(for: removal.structure, removal.allocation)
  }

  /// The windows that the schedule's perplexity is measured on: as long as those of the calibration,
  /// or the rows of a token file.
  fileprivate func heldOutWindows(_ opened: OpenedModel, length: Int?) throws -> TokenWindows? {
    guard let input = schedule.heldOut else { return nil }
    var isText = false
    if case .text = input { isText = true }
    return try input.leadingWindows(
      count: nil,
      length: isText ? length : nil,
      longest: opened.usualLength,
      tokenizer: opened.directoryURL
    )
  }

  /// Finds out before any work whether the checkpoint can be written where it shall go.
  fileprivate func checkPlace(apartFrom model: ModelDirectory) throws {
    do {
      // Makes an empty directory under a temporary name, and removes it.
      _ = try StagedDirectory(
        output.path,
        existing: overwrite
          ? .replaced(ifContaining: ModelDirectory.configurationName) : .refused,
        apartFrom: model.path
      )
    } catch let error as FileError {
      throw JobError.unwritable(path: output.relativePath, reason: error.reason)
    }
  }
}

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
    }
    if done > 0 { try measureHeldOut(after: done, progress: progress) }
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
    let source = try tensors(after: shot - 1, isRounded: false)
    let model = try opened.model(with: source)
    let share = options.schedule.ramp.share(after: shot, of: options.shots)
    let settings = try options.settings(target: share)
    let result =
      settings.method.isLayerLocal
      ? try layerwise(settings, progress: progress)
      : try jointly(shot, settings, model, source, progress: progress)
    if shot == 1 { report.loss.dense = result.lossBefore }
    let isOfSize = options.removal.size != nil
    if isOfSize { report.settings.targetShare = result.plan.removedShare }
    report.add(
      ShotRecord(
        number: shot,
        target: isOfSize ? result.plan.removedShare : settings.target,
        achieved: result.plan.removedShare,
        predictedRise: result.outcomes.indices.reduce(0) {
          $0 + result.plan.predictedRise(of: $1, result.outcomes[$1])
        },
        lossBefore: result.lossBefore
      ),
      result.plan,
      result.outcomes,
      before: result.layers
    )
    try files.save(shot, result.outcomes, of: model.linears, report: report)
  }

  /// Chooses among all layers at once, by the curvature of the loss.
  private func jointly(
    _ shot: Int,
    _ settings: PruningSettings,
    _ model: DecoderModel,
    _ source: any TensorSource,
    progress: any ProgressListener
  ) throws -> ShotResult {
    let statistics = try statistics(for: shot, of: model, progress: progress)
    let layers = try ModelLayers(model.linears, source: source, statistics: statistics)
    var solver = try PruningRun(
      store: layers,
      settings: settings,
      consequences:
        settings.method == .surgeon && !settings.structure.isUnits ? model.consequences : []
    )
    let meter = SolverMeter(progress, layers: layers.layers.count, settings: settings)
    let plan =
      settings.structure.isUnits
      ? try chooseUnits(
        of: model,
        layers,
        settings,
        progress: (options.schedule.ramp.share(after: shot, of: options.shots), meter)
      )
      : try meter.choosing { try solver.choose(progress: $0) }
    var outcomes: [LayerOutcome] = []
    try meter.repairing { handler in
      try solver.repair(plan, progress: handler) { outcomes.append($1) }
    }
    return ShotResult(
      plan: plan,
      outcomes: outcomes,
      layers: layers.layers,
      lossBefore: statistics?.manifest.loss
    )
  }

  /// Chooses neurons and heads for a shot.
  private func chooseUnits(
    of model: DecoderModel,
    _ layers: ModelLayers,
    _ settings: PruningSettings,
    progress: (share: Double, meter: SolverMeter)
  ) throws -> PruningPlan {
    let units = model.units(options.removal.headUnit)
    let whole = try options.widthGoal(of: opened, units)
    let goal = whole.eased(from: whole.measure.value(of: units.widths), progress: progress.share)
    var run = try UnitRun(store: layers, settings: settings, model: units, goal: goal)
    return try progress.meter.choosing { try run.choose(progress: $0) }
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
          seed: drawn.seed(shot: isFresh ? shot : 1)
        )
        try manifest.measure(model, windows, into: folder, progress: progress)
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
