import Checkpoint
import Export
import Foundation
import Transformer

/// Removes whole blocks from a model by their place, goes on with its pretraining, and writes the
/// smaller model (LayerChop, arXiv 2305.14864).
///
/// All values are trained. Memory is what is trained four times (values, two moments, gradients), one
/// block, and the inputs of all blocks for one batch. An interrupted run continues when it is called
/// again with the same options, and ends with the same bytes.
///
/// - Parameters:
///   - options: The model, the tokens, what to remove, how to train, and where the result goes.
///   - progress: Hears how it goes on.
/// - Returns: What went, the course of the loss and the times; all but the times lie beside the
///   checkpoint.
/// - Throws: ``JobError``, or an error of the model, the training or files, each one line of text.
public func chop(
  _ options: ChopOptions,
  progress: any ProgressListener = SilentProgress()
) throws -> ChopReport {
  try options.check()
  try checkOutput(
    options.output,
    mark: ModelDirectory.configurationName,
    overwrite: options.overwrite
  )
  let opened = try OpenedModel(options.model)
  let plan = try ChopPlan(options, of: opened.model)
  if let profile = options.profile { try HuggingFaceExport.check(profile, opened.configuration) }
  if let query = options.query {
    try opened.checkLength(prompt: query.promptTokens, new: query.newTokens, progress: progress)
  }
  try checkPlace(options.output, overwrite: options.overwrite, apartFrom: opened.directory)
  let windows = try options.data.trainingWindows(of: opened)
  let setup = RetrainSetup(
    opened: opened,
    fingerprint: try opened.fingerprint(),
    extension: try ModelExtension(of: opened, for: options.training),
    windows: windows,
    heldOut: try options.data.heldOutWindows(of: opened, length: windows.length)
  )
  var run = try ChopRun(options, setup, plan)
  var report = try run.complete(for: options.output, progress: progress)
  guard let query = options.query else { return report }
  let written = try OpenedModel(options.output.path)
  report.speeds = try ChopSpeeds(
    before: measureSpeed(of: opened, query, progress: progress),
    after: measureSpeed(of: written, query, progress: progress)
  )
  return report
}
