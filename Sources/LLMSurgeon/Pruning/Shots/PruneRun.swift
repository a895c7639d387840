import Checkpoint
import ExactJSON
import Export
import Foundation
import MessagePassing
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
  /// The processes that make the shots together, all with these same steps; nil for one.
  ///
  /// The first one alone speaks, keeps the report, and writes what shots leave.
  var ranks: (any RankGroup)?
  var report: PruningReport

  /// Whether this process writes.
  var isWriting: Bool { ranks?.isFirst ?? true }

  /// Makes the shots that are not made yet and measures the loss after the last.
  mutating func finish(progress: any ProgressListener) throws {
    let done = files.lastComplete(options.shots)
    try agreeOnState(JSONValue(done))
    if done > 0 {
      report = try PruningReport(json: readBytes(of: files.report(done)))
      progress.note("continuing an unfinished run after shot \(done) of \(options.shots)")
      try measureHeldOut(after: done, progress: progress)
      clear(before: done)
    }
    for shot in done + 1..<options.shots + 1 {
      try fire(shot, progress: progress)
      try measureHeldOut(after: shot, progress: progress)
      clear(before: shot)
    }
    try measureLosses(progress: progress)
    // The first rank removes the work when it has written the result: nobody looks at it any more.
    try ranks?.meet()
  }

  /// Measures the loss on the windows before and after, unless an interrupted run has.
  private mutating func measureLosses(progress: any ProgressListener) throws {
    // Ranks agree: in the process that measures none has it, in a later one all have read it.
    guard let windows = input.windows, report.loss.pruned == nil else { return }
    if input.isRounded(options) {
      report.loss.dense = try opened.model.meanLoss(windows, sharedBy: ranks, progress: progress)
    }
    let model = try opened.model(with: try tensors(after: options.shots, isRounded: true))
    report.loss.pruned = try model.meanLoss(windows, sharedBy: ranks, progress: progress)
    guard isWriting else { return }
    try write(try report.json(), to: files.report(options.shots).path)
  }

  /// Finds out whether all ranks see the same state of the work.
  ///
  /// - Throws: ``JobError/badSetting(_:)`` naming the first rank that does not.
  func agreeOnState(_ state: JSONValue) throws {
    try ranks?.agree(
      on: state,
      "sees another state of the work in \(files.folder.relativePath) than rank 0; "
        + "see to it that all ranks share one disk, and give the same command again"
    )
  }

  private func clear(before shot: Int) {
    if isWriting { files.clear(before: shot) }
  }

  /// Measures the perplexity that the schedule asks for, unless an interrupted run has.
  private mutating func measureHeldOut(
    after shot: Int,
    progress: any ProgressListener
  ) throws {
    // Ranks that do not write know of the shots before the interruption only.
    let known = report.shots.dropFirst(shot - 1).first?.heldOutPerplexity
    guard let heldOut, known == nil else { return }
    let model = try opened.model(with: try tensors(after: shot, isRounded: true))
    let perplexity = exp(try model.meanLoss(heldOut, sharedBy: ranks, progress: progress))
    guard isWriting else { return }
    report.shots[shot - 1].heldOutPerplexity = perplexity
    progress.note("held-out perplexity \(String(format: "%.3f", perplexity))")
    try write(try report.json(), to: files.report(shot).path)
  }

  /// The model's weights after a shot; before the first, as they came.
  func tensors(after shot: Int, isRounded: Bool) throws -> any TensorSource {
    guard shot > 0 else { return opened.directory.tensors }
    let front = try SafetensorsFile(path: files.weights(shot).path)
    return OverlayTensors(base: opened.directory.tensors, front: front, isRounded: isRounded)
  }

  /// Calibrates, chooses, repairs, and saves the result.
  private mutating func fire(_ shot: Int, progress: any ProgressListener) throws {
    if options.shots > 1 { progress.note("shot \(shot) of \(options.shots)") }
    let settings = try options.settings(target: share(after: shot))
    let made =
      settings.method.isLayerLocal
      ? try layerwise(shot, settings, progress: progress)
      : try byCurvature(shot, settings, progress: progress)
    if let result = made { try finish(shot, settings, result, progress: progress) }
    // The others go on when the result is there.
    try ranks?.meet()
  }

  /// Reports what a shot did and saves its weights.
  private mutating func finish(
    _ shot: Int,
    _ settings: PruningSettings,
    _ result: ShotResult,
    progress: any ProgressListener
  ) throws {
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

  /// The share of the whole target, 0 to 1, that is removed after a shot.
  func share(after shot: Int) -> Double {
    options.schedule.ramp.share(after: shot, of: options.shots)
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
