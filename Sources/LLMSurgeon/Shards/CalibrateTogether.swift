import ExactJSON
import Foundation
package import MessagePassing

/// Measures the curvature of a model on several processes, each with its share of the windows.
///
/// The statistics have the bytes of as many shards that were merged. Each rank keeps a state of its
/// own beside the output; when all are started again with the same options, they continue together.
///
/// - Parameters:
///   - options: The same on every rank; ``CalibrationOptions/shard`` is not looked at.
///   - ranks: The processes.
///   - progress: Hears how it goes on, on this rank.
/// - Returns: What all ranks together measured.
/// - Throws: ``JobError``, or an error of the model, tokenizer or files; the caller then ends all
///   ranks, which may be waiting for this one.
package func calibrate(
  _ options: CalibrationOptions,
  together ranks: any RankGroup,
  progress: any ProgressListener
) throws -> CalibrationSummary {
  if ranks.isFirst {
    try checkOutput(
      options.output,
      mark: StatisticsManifest.fileName,
      overwrite: options.overwrite
    )
  }
  let job = try JointCalibration(options, ranks)
  try ranks.agree(on: job.identity)
  let own = try UnfinishedFolder(for: job.ownPlace, identity: job.ownIdentity)
  let manifest = try own.run {
    guard ranks.isFirst else { return try job.measurement.finish(own.url, nil, progress: progress) }
    let whole = try UnfinishedFolder(for: options.output, identity: job.identity)
    return try whole.run {
      let manifest = try job.measurement.finish(own.url, whole.url, progress: progress)
      try whole.become(
        options.output,
        mark: StatisticsManifest.fileName,
        overwrite: options.overwrite
      )
      return manifest
    }
  }
  // What could still be needed is removed only when nothing is needed any more.
  try ranks.meet()
  own.discard()
  return CalibrationSummary(manifest, output: options.output)
}

/// One rank's part of a calibration.
private struct JointCalibration {
  let options: CalibrationOptions
  let ranks: any RankGroup
  let measurement: JointMeasurement

  init(_ options: CalibrationOptions, _ ranks: any RankGroup) throws {
    var options = options
    options.shard = nil
    options.memory.limit = options.memory.bytes(sharedBy: ranks.localCount)
    self.options = options
    self.ranks = ranks
    let opened = try OpenedModel(options.model)
    let (whole, windows) = try opened.calibration(options)
    measurement = try JointMeasurement(
      of: opened.model,
      whole,
      windows,
      memory: options.memory,
      ranks: ranks
    )
  }

  /// Everything that decides what this rank computes.
  var ownIdentity: JSONValue { measurement.own.json }

  /// Everything that decides what the ranks compute.
  var identity: JSONValue {
    ["ranks": JSONValue(ranks.count), "calibrate": measurement.whole.json]
  }

  /// The name beside which this rank keeps its state.
  var ownPlace: URL {
    let name = "\(options.output.lastPathComponent).\(ranks.name)"
    return options.output.deletingLastPathComponent().appending(path: name)
  }
}
