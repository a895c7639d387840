import Checkpoint
import ExactJSON
import Foundation
import Transformer

/// Fits the windows of a pruned model, one after the other, to what the dense model makes of them,
/// and writes a checkpoint that ordinary software loads.
///
/// A window keeps its old values unless the error falls. What is zero in the weight matrices stays
/// zero. Memory is one window's weights and a few times the hidden states of all sequences. An
/// interrupted run continues when it is called again with the same options, and ends with the same
/// bytes.
///
/// - Parameters:
///   - options: The models, the tokens, what to train, and where the result goes.
///   - progress: Hears how it goes on.
/// - Returns: The errors of the windows; the same lies beside the checkpoint.
/// - Throws: ``JobError``, or an error of the models, the training or files, each one line of text.
public func reconstruct(
  _ options: ReconstructOptions,
  progress: any ProgressListener = SilentProgress()
) throws -> ReconstructReport {
  try options.check()
  try checkOutput(
    options.output,
    mark: ModelDirectory.configurationName,
    overwrite: options.overwrite
  )
  let (opened, dense) = (try OpenedModel(options.model), try OpenedModel(options.dense))
  guard opened.model.decoder == dense.model.decoder else {
    throw JobError.badSetting(
      "\(options.model) and \(options.dense) differ in more than their weights; "
        + "reconstruct before zeros are cut out (prune with --profile masked)"
    )
  }
  var windows = options.windows
  windows.length = options.data.length
  let drawn = try opened.calibrationWindows(options.data.input, windows)
  let setup = RetrainSetup(
    opened: opened,
    fingerprint: try opened.fingerprint(),
    extension: try ModelExtension(of: opened, for: options.training),
    windows: drawn,
    heldOut: try options.data.heldOutWindows(of: opened, length: drawn.length)
  )
  var run = try ReconstructRun(
    options,
    setup,
    dense: dense.model,
    identity: options.identity(setup, dense: try dense.fingerprint())
  )
  return try run.complete(for: options.output, progress: progress)
}

extension ReconstructOptions {
  /// Everything that decides what the run computes.
  fileprivate func identity(_ setup: RetrainSetup, dense: String) -> JSONValue {
    [
      "program": JSONValue("surgeon \(Program.version)"), "job": "reconstruct",
      "model": JSONValue(setup.fingerprint), "dense": JSONValue(dense),
      "data": JSONValue(setup.windows.fingerprint),
      "heldOut": setup.heldOut.map { JSONValue($0.fingerprint) } ?? .null,
      "batch": JSONValue(data.batch * data.accumulation),
      "window": JSONValue("\(reconstruction.window)"),
      "inputs": JSONValue(reconstruction.inputs.rawValue),
      "target": JSONValue(reconstruction.target.rawValue), "training": training.identity,
    ]
  }
}
