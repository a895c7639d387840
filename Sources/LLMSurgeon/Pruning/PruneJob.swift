import Checkpoint
import ExactJSON
import Export
import Foundation
import MessagePassing
import Pruning
import Report

/// A pruning whose options fit the model, the data and the machine.
struct PruneJob {
  let options: PruneOptions
  private let settings: PruningSettings
  private let opened: OpenedModel
  private let fingerprint: String
  private let input: PruneInput
  private let heldOut: TokenWindows?

  /// Opens what the options name and checks all that can be checked before any work.
  ///
  /// - Parameters:
  ///   - options: The model, the data, what to remove, and where the result goes.
  ///   - isWriting: Whether this process writes the result.
  /// - Throws: ``JobError``, or an error of the model or files.
  init(_ options: PruneOptions, isWriting: Bool = true) throws {
    guard options.shots >= 1 else { throw JobError.badSetting("there is at least one shot") }
    if case .statistics = options.data, options.shots > 1 {
      throw JobError.badSetting("several shots calibrate between them: give tokens, not statistics")
    }
    if options.removal.method.isLayerLocal, options.shots > 1 {
      throw JobError.badSetting("method \(options.removal.method.rawValue) knows one shot only")
    }
    try options.checkRepair()
    try options.checkCompute()
    if isWriting {
      try checkOutput(
        options.output,
        mark: ModelDirectory.configurationName,
        overwrite: options.overwrite
      )
    }
    settings = try options.settings(target: nil)
    opened = try OpenedModel(options.model)
    try HuggingFaceExport.check(options.writtenProfile, opened.configuration)
    try options.checkSize(of: opened, settings)
    if isWriting {
      try checkPlace(options.output, overwrite: options.overwrite, apartFrom: opened.directory)
    }
    fingerprint = try opened.fingerprint()
    input = try PruneInput(options.data, opened: opened, fingerprint: fingerprint)
    try options.checkMemory(of: opened, settings, input)
    if options.shots > 1, options.schedule.data == .fresh { try input.checkFresh() }
    if options.schedule.correction != nil, input.windows == nil || options.shots < 2 {
      throw JobError.badSetting("training between shots takes tokens and several shots")
    }
    heldOut = try options.schedule.heldOut?
      .heldOutWindows(length: input.windows?.length, of: opened)
    self.options = options
  }

  /// Everything that decides what the pruning computes.
  var identity: JSONValue {
    options.identity(settings, input: input, heldOut: heldOut, fingerprint: fingerprint)
  }

  /// Finds out whether all ranks would compute the same.
  ///
  /// - Parameter ranks: The processes.
  /// - Throws: ``JobError/badSetting(_:)`` naming the first rank that would not.
  func agree(with ranks: any RankGroup) throws {
    var statistics = JSONValue.null
    switch input {
    case .none: break
    case .statistics(let directory, _): statistics = directory.manifest.json
    case .windows(let windows, _, _): try ranks.check(windows)
    }
    try ranks.agree(on: ["run": identity, "data": statistics])
    try ranks.agree(
      on: JSONValue(KernelChoice.inUse),
      "computes with other kernels than rank 0 (\(KernelChoice.inUse) here); "
        + "give all ranks --blas-core with one that every processor can run"
    )
  }

  /// Prunes, writes the checkpoint, and removes what was kept of the work.
  ///
  /// - Parameters:
  ///   - folder: Where the work is kept.
  ///   - ranks: The processes that share it, of which this is the first one; nil for one process.
  ///   - progress: Hears how it goes on.
  /// - Returns: The report.
  /// - Throws: What the work throws.
  func complete(
    in folder: UnfinishedFolder,
    ranks: (any RankGroup)?,
    progress: any ProgressListener
  ) throws -> PruneReport {
    let report = try folder.run {
      var run = try run(in: folder.url, ranks: ranks)
      try run.finish(progress: progress)
      let report = try PruneReport(run.report)
      try run.writeCheckpoint(report, progress: progress)
      return report
    }
    folder.discard()
    return report
  }

  /// Does another rank's part of the work.
  ///
  /// - Parameters:
  ///   - folder: Where the first rank keeps the work.
  ///   - ranks: The processes that share it.
  /// - Throws: What the work throws.
  func assist(in folder: URL, ranks: any RankGroup) throws {
    var run = try run(in: folder, ranks: ranks)
    try run.finish(progress: SilentProgress())
  }

  private func run(in folder: URL, ranks: (any RankGroup)?) throws -> PruneRun {
    PruneRun(
      options: options,
      opened: opened,
      fingerprint: fingerprint,
      input: input,
      files: ShotFiles(folder: folder, ranks: ranks),
      heldOut: heldOut,
      ranks: ranks,
      report: try PruningReport(opened, options, settings, input: input, fingerprint: fingerprint)
    )
  }
}
