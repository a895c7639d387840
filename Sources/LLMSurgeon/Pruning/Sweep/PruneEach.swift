import Checkpoint
import ExactJSON
import Export
import Foundation
import Pruning
import Report
import Transformer

/// Prunes a model to each of several targets, from one set of statistics.
///
/// The checkpoint of target `0.1` is the directory `0.1` within the output, with the same bytes that
/// ``prune(_:progress:)`` writes for that target. An interrupted run continues when it is called
/// again with the same options: what it finished stays.
///
/// - Parameters:
///   - options: The model, the data, and what to remove; the target and the shots are not looked at.
///   - targets: The shares of the prunable weights to remove.
///   - progress: Hears how it goes on.
/// - Returns: A point for each target, in their order; sizes are those of the written files.
/// - Throws: ``JobError``, or an error of the model, the solver or files, each one line of text.
public func pruneEach(
  _ options: PruneOptions,
  targets: [Double],
  progress: any ProgressListener = SilentProgress()
) throws -> SweepCurve {
  let options = try options.swept(over: targets)
  let opened = try OpenedModel(options.model)
  // Each pruning finds this out too, but only after the calibration.
  try HuggingFaceExport.check(options.writtenProfile, opened.configuration)
  let (input, fingerprint) = try options.checkedInput(of: opened)
  let settings = try options.settings(target: nil)
  let identity: JSONValue = [
    "targets": .array(targets.map { JSONValue($0) }),
    "profile": JSONValue(options.writtenProfile.rawValue),
    "prune": options.identity(settings, input: input, heldOut: nil, fingerprint: fingerprint),
  ]
  let folder = try UnfinishedFolder(for: options.output, identity: identity)
  let curve = try folder.run {
    var job = SweepJob(options: options, opened: opened, folder: folder.url)
    for target in targets { try job.checkPlace(target) }
    try job.calibrate(progress: progress)
    return SweepCurve(
      model: opened.recordedName,
      settings: settings,
      lossBefore: try job.lossBefore(),
      points: try targets.map { try job.point($0, progress: progress) }
    )
  }
  folder.discard()
  return curve
}

/// The prunings of one sweep and what is known of those that are finished.
private struct SweepJob {
  var options: PruneOptions
  let opened: OpenedModel
  /// Where statistics and marks are kept until the sweep is finished.
  let folder: URL

  private func place(_ target: Double) -> URL {
    options.output.appending(path: "\(target)", directoryHint: .isDirectory)
  }

  /// Says that a checkpoint is one of this sweep's own.
  private func mark(_ word: String, _ target: Double) -> URL {
    folder.appending(path: "\(word)-\(target)")
  }

  private func isMarked(_ word: String, _ target: Double) -> Bool {
    FileManager.default.fileExists(atPath: mark(word, target).path)
  }

  /// Refuses, before any work, to replace what a former sweep or somebody else left.
  func checkPlace(_ target: Double) throws {
    guard !isMarked("begun", target) else { return }
    try checkOutput(
      place(target),
      mark: ModelDirectory.configurationName,
      overwrite: options.overwrite
    )
  }

  /// Calibrates once for all targets, unless statistics are given or an interrupted run has them.
  mutating func calibrate(progress: any ProgressListener) throws {
    guard case .calibrate(let input, let windows, let labels) = options.data else { return }
    let statistics = folder.appending(path: "statistics", directoryHint: .isDirectory)
    let finished = statistics.appending(path: StatisticsManifest.fileName)
    if !FileManager.default.fileExists(atPath: finished.path) {
      _ = try LLMSurgeon.calibrate(
        CalibrationOptions(
          model: options.model,
          input: input,
          windows: windows,
          labels: labels,
          memory: options.memory,
          compute: options.compute,
          output: statistics
        ),
        progress: progress
      )
    }
    options.data = .statistics(statistics)
    options.compute = .float32  // It was of the calibration.
  }

  /// The mean loss on the windows before pruning, where statistics say it.
  func lossBefore() throws -> Double? {
    guard case .statistics(let folder) = options.data else { return nil }
    return try StatisticsDirectory(folder).manifest.loss
  }

  /// Prunes to a target, unless an interrupted run has; nil of what is left where the constraints do
  /// not allow it.
  func point(_ target: Double, progress: any ProgressListener) throws -> SweepPoint {
    var own = options
    own.removal.target = target
    own.output = place(target)
    // What lies there although this sweep has begun it is its own.
    own.overwrite = options.overwrite || isMarked("begun", target)
    if !isMarked("finished", target) {
      progress.note("target \(Quantity.percent(target))")
      try write([], to: mark("begun", target).path)
      do {
        _ = try prune(own, progress: progress)
      } catch PruningError.goalOutOfReach {
        return SweepPoint(target: target, left: nil)
      }
      try write([], to: mark("finished", target).path)
    }
    return SweepPoint(target: target, left: try left(own))
  }

  /// What a finished checkpoint holds.
  private func left(_ own: PruneOptions) throws -> SweepPoint.Left {
    let report = try PruneReport(checkpoint: own.output).report
    let size = try CheckpointWriter.size(of: ModelDirectory(own.output.path))
    let keepsShapes = own.writtenProfile == .masked || own.writtenProfile == .packed
    let removed = report.total.weights - report.total.weightsKept
    return SweepPoint.Left(
      shareRemoved: report.total.shareRemoved,
      predictedRise: report.predictsLoss ? report.total.predictedRise : nil,
      parameters: keepsShapes ? opened.parameters - removed : size.parameters,
      bytes: size.bytes,
      widths: report.widths.map {
        BlockWidths(
          heads: $0.heads.kept,
          keyValueHeads: $0.keyValueHeads.kept,
          neurons: $0.neurons.kept
        )
      },
      predictedSpeedup: report.speed?.predictedSpeedup
    )
  }
}
