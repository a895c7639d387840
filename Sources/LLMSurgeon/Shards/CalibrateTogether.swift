import Checkpoint
import ExactJSON
import Foundation
import LinearAlgebra
package import MessagePassing
import Tensors

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
  try job.agree()
  let own = try UnfinishedFolder(for: job.ownPlace, identity: job.own.json)
  let manifest = try own.run {
    guard ranks.isFirst else { return try job.finish(own.url, nil, progress: progress) }
    let whole = try UnfinishedFolder(for: options.output, identity: job.identity)
    return try whole.run {
      let manifest = try job.finish(own.url, whole.url, progress: progress)
      try whole.become(options.output)
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
  let opened: OpenedModel
  /// All windows.
  let windows: TokenWindows
  /// This rank's windows.
  let ownWindows: TokenWindows
  /// The manifest of all windows.
  let whole: StatisticsManifest
  /// The manifest of this rank's windows.
  let own: StatisticsManifest

  init(_ options: CalibrationOptions, _ ranks: any RankGroup) throws {
    var options = options
    options.shard = nil
    options.memory.limit = options.memory.bytes(sharedBy: ranks.localCount)
    self.options = options
    self.ranks = ranks
    opened = try OpenedModel(options.model)
    (whole, windows) = try opened.calibration(options)
    guard let shard = CalibrationShard(index: ranks.rank + 1, of: ranks.count) else {
      preconditionFailure("a rank is below the number of ranks")
    }
    let part = try windows.part(shard)
    ownWindows = part.windows
    own = whole.part(part.record, windows: part.windows)
  }

  /// Everything that decides what the ranks compute.
  var identity: JSONValue { ["ranks": JSONValue(ranks.count), "calibrate": whole.json] }

  /// The name beside which this rank keeps its state.
  var ownPlace: URL {
    let name = "\(options.output.lastPathComponent).rank-\(ranks.rank + 1)-of-\(ranks.count)"
    return options.output.deletingLastPathComponent().appending(path: name)
  }

  /// Finds out whether all ranks were asked for the same.
  ///
  /// - Throws: ``JobError/badSetting(_:)`` naming the first rank that was not.
  func agree() throws {
    var hasher = ContentHasher()
    hasher.update(JSONWriter.write(identity, indent: nil))
    let all = try ranks.allGather(Array(hasher.finalize().description.utf8))
    guard let other = all.firstIndex(where: { $0 != all[0] }) else { return }
    throw JobError.badSetting(
      "rank \(other) has another model, other windows or other options than rank 0; "
        + "give all ranks the same command and the same files"
    )
  }

  /// Makes the calibration, or finishes one that was interrupted.
  ///
  /// - Parameters:
  ///   - folder: Where this rank keeps its state.
  ///   - output: Where the first rank writes the statistics; nil on the others.
  ///   - progress: Hears how it goes on.
  /// - Returns: The manifest of all windows, with their loss.
  /// - Throws: What the calibration and writing throw.
  func finish(
    _ folder: URL,
    _ output: URL?,
    progress: any ProgressListener
  ) throws -> StatisticsManifest {
    try output.map { try windows.write(to: $0.appending(path: StatisticsManifest.tokensFile)) }
    let run = CalibrationRun(
      model: opened.model,
      windows: ownWindows,
      firstSequence: own.shard?.range.lowerBound ?? 0,
      labels: own.labelSource,
      memory: options.memory,
      folder: folder
    )
    let shards = (1...ranks.count).compactMap { CalibrationShard(index: $0, of: ranks.count) }
    let sequences = shards.map { $0.range(of: windows.count).count }
    let factors = JointFactors(
      ranks: ranks,
      positions: sequences.map { $0 * windows.length },
      files: FactorFiles(folder: output ?? folder, blocks: whole.blocks)
    )
    let loss = try run.finish(writing: factors, progress: progress)
    let bits = try ranks.allGather(Int64(bitPattern: loss.bitPattern).littleEndianBytes)
    let losses = bits.map { Double(bitPattern: UInt64(bitPattern: Int64(bytes: $0))) }
    var finished = whole
    finished.loss = WeightedMean.loss(zip(losses, sequences).map { ($0, $1) })
    try output.map { try finished.write(into: $0) }
    return finished
  }
}

extension StatisticsManifest {
  /// The manifest of a part of the windows.
  fileprivate func part(_ record: ShardRecord, windows: TokenWindows) -> Self {
    var part = self
    part.shard = record
    part.dataFingerprint = windows.fingerprint
    part.sequences = windows.count
    part.starts = windows.starts
    return part
  }
}
