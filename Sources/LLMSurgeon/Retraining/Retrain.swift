import Checkpoint
import Export
import ExactJSON
import Foundation
import Report
import Tensors
import Training
import Transformer

/// Trains a few values of a pruned model, and writes a checkpoint that ordinary software loads.
///
/// What is zero in the weight matrices stays zero. Memory is one block's weights, the inputs of all
/// blocks for one batch, and what is trained three times. An interrupted run continues when it is
/// called again with the same options, and ends with the same bytes.
///
/// - Parameters:
///   - options: The model, the tokens, what to train, and where the result goes.
///   - progress: Hears how it goes on.
/// - Returns: The course of the loss; the same lies beside the checkpoint.
/// - Throws: ``JobError``, or an error of the model, the training or files, each one line of text.
public func retrain(
  _ options: RetrainOptions,
  progress: any ProgressListener = SilentProgress()
) throws -> RetrainReport {
  try options.training.check()
  try options.data.check()
  try checkOutput(
    options.output,
    mark: ModelDirectory.configurationName,
    overwrite: options.overwrite
  )
  let opened = try OpenedModel(options.model)
  let windows = try options.data.trainingWindows(of: opened)
  let setup = RetrainSetup(
    opened: opened,
    fingerprint: try opened.fingerprint(),
    extension: try ModelExtension(of: opened, for: options.training),
    windows: windows,
    heldOut: try options.data.heldOutWindows(of: opened, length: windows.length)
  )
  var run = try RetrainRun(options, setup)
  return try run.complete(for: options.output, progress: progress)
}

/// What a training works with, opened and checked.
struct RetrainSetup {
  let opened: OpenedModel
  let fingerprint: String
  let `extension`: ModelExtension
  let windows: TokenWindows
  let heldOut: TokenWindows?
}
