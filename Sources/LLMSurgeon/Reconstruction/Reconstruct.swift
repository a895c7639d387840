import Checkpoint
import ExactJSON
import Foundation
import Report
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
  var run = try ReconstructRun(options, setup, dense: dense.model)
  let identity = options.identity(setup, dense: try dense.fingerprint())
  let folder = try UnfinishedFolder(for: options.output, identity: identity)
  let report = try folder.run {
    try run.finish(in: folder.url, progress: progress)
    let report = try ReconstructReport(run.report)
    try run.writeCheckpoint(report, progress: progress)
    return report
  }
  folder.discard()
  return report
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

/// The errors of the windows of a reconstruction.
public struct ReconstructReport: Sendable {
  /// The name of the report in a checkpoint directory.
  static let fileName = "surgeon-reconstruction.json"

  let report: ReconstructionReport
  private let jsonBytes: [UInt8]

  init(_ report: ReconstructionReport) throws {
    self.report = report
    jsonBytes = try report.json()
  }

  /// The report as a JSON document; `docs/retraining.md` describes it.
  public var json: String { String(decoding: jsonBytes, as: UTF8.self).trimmingSuffix("\n") }

  /// The bytes that are written beside a checkpoint.
  var file: [UInt8] { jsonBytes }

  /// The held-out perplexity before; nil if nothing was held out.
  public var perplexityBefore: Double? { report.lossBefore.map { exp($0) } }

  /// The held-out perplexity of the written checkpoint; nil if nothing was held out.
  public var perplexity: Double? { report.lossAfter.map { exp($0) } }

  /// A table of the windows' errors.
  ///
  /// - Parameters:
  ///   - columns: The terminal's width.
  ///   - isTerminal: Whether colours make sense.
  /// - Returns: Lines without a final newline.
  public func text(columns: Int, isTerminal: Bool) -> String {
    report.text(style: TerminalStyle(columns: columns, isTerminal: isTerminal))
  }
}

extension ReconstructionReport {
  /// The report of a reconstruction that has not begun.
  init(_ options: ReconstructOptions, _ setup: RetrainSetup) {
    self.init(
      programVersion: Program.version,
      model: setup.opened.recordedName,
      fingerprint: setup.fingerprint,
      window: "\(options.reconstruction.window)",
      inputs: options.reconstruction.inputs.rawValue,
      target: options.reconstruction.target.rawValue,
      training: TrainingRecord(options.training),
      sequences: setup.windows.count,
      length: setup.windows.length
    )
  }
}
