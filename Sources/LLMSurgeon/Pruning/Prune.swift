import Checkpoint
import Export
import Foundation
import LinearAlgebra
import Pruning
import Report
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
  try options.checkRepair()
  try checkOutput(
    options.output,
    mark: ModelDirectory.configurationName,
    overwrite: options.overwrite
  )
  let settings = try options.settings(target: nil)
  let opened = try OpenedModel(options.model)
  try HuggingFaceExport.check(options.writtenProfile, opened.configuration)
  try options.checkSize(of: opened, settings)
  try checkPlace(options.output, overwrite: options.overwrite, apartFrom: opened.directory)
  let fingerprint = try opened.fingerprint()
  let input = try PruneInput(options.data, opened: opened, fingerprint: fingerprint)
  try options.checkMemory(of: opened, settings, input)
  if options.shots > 1, options.schedule.data == .fresh { try input.checkFresh() }
  if options.schedule.correction != nil, input.windows == nil || options.shots < 2 {
    throw JobError.badSetting("training between shots takes tokens and several shots")
  }
  let identity = options.identity(settings, input: input, fingerprint: fingerprint)
  let folder = try UnfinishedFolder(for: options.output, identity: identity)
  var run = PruneRun(
    options: options,
    opened: opened,
    fingerprint: fingerprint,
    input: input,
    files: ShotFiles(folder: folder.url),
    heldOut: try options.schedule.heldOut?
      .heldOutWindows(length: input.windows?.length, of: opened),
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
  /// Refuses what does not fit in memory.
  ///
  /// - Throws: ``JobError/badSetting(_:)`` with what is needed and what would fit.
  func checkMemory(
    of opened: OpenedModel,
    _ settings: PruningSettings,
    _ input: PruneInput
  ) throws(JobError) {
    // Methods that look at one layer at a time are not predicted.
    guard !settings.method.isLayerLocal else { return }
    let tokens = input.windows?.tokens.count ?? 0
    func footprint(_ method: Method, threads: Int) -> PruningFootprint {
      PruningFootprint(
        of: opened.model,
        settings: settings.priced(by: method),
        windows: (tokens, solver.repair == .sequential),
        threads: threads
      )
    }
    let threads = Parallelism.threads
    var remedies: [(String, Double)] = []
    if threads > 1 {
      remedies.append(("--threads 1", footprint(settings.method, threads: 1).memory))
    }
    if settings.method.repairs {
      remedies.append(
        ("--method kobd, which repairs nothing", footprint(.kobd, threads: threads).memory)
      )
    }
    try footprint(settings.method, threads: threads)
      .check(limit: memory.bytes, names: opened.model.linears.map(\.name), remedies: remedies)
  }

  /// The profile of the checkpoint.
  var writtenProfile: Profile {
    profile ?? .standard(for: removal.structure, removal.allocation)
  }

  /// Refuses a repair for other inputs where nothing is repaired, or where the method has its own way.
  fileprivate func checkRepair() throws {
    guard solver.repair == .sequential, !removal.method.repairs else { return }
    let name = removal.method.rawValue
    throw JobError.badSetting(
      removal.method.isLayerLocal
        ? "method \(name) goes from block to block by itself: leave out the sequential repair"
        : "method \(name) repairs nothing that a sequential repair could improve: use surgeon"
    )
  }
}

/// Finds out before any work whether a checkpoint can be written where it shall go.
///
/// - Parameters:
///   - output: The directory to write.
///   - overwrite: Whether a former checkpoint is replaced.
///   - model: The model that is read meanwhile.
/// - Throws: `CheckpointError` or ``JobError/unwritable(path:reason:)``.
func checkPlace(_ output: URL, overwrite: Bool, apartFrom model: ModelDirectory) throws {
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
