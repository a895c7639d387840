import Foundation
import MessagePassing
import Transformer

/// One rank's part in measuring the curvature of a model.
struct JointMeasurement {
  let ranks: any RankGroup
  /// The model, with the weights at which the curvature is measured.
  let model: DecoderModel
  /// The manifest of all windows.
  let whole: StatisticsManifest
  /// The manifest of this rank's windows.
  let own: StatisticsManifest
  private let allWindows: TokenWindows
  private let windows: TokenWindows
  private let memory: CalibrationMemory

  /// Prepares the measurement.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - whole: The manifest of all windows.
  ///   - windows: All windows.
  ///   - memory: What this rank may keep in memory.
  ///   - ranks: The processes that share the windows.
  /// - Throws: ``JobError/badSetting(_:)`` if there are more ranks than windows.
  init(
    of model: DecoderModel,
    _ whole: StatisticsManifest,
    _ windows: TokenWindows,
    memory: CalibrationMemory,
    ranks: any RankGroup
  ) throws {
    try ranks.check(windows)
    guard let shard = CalibrationShard(index: ranks.rank + 1, of: ranks.count) else {
      preconditionFailure("a rank is below the number of ranks")
    }
    let part = try windows.part(shard)
    self.ranks = ranks
    self.model = model
    self.whole = whole
    allWindows = windows
    self.windows = part.windows
    self.memory = memory
    own = whole.part(part.record, windows: part.windows)
  }

  /// Measures, or finishes what was interrupted.
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
    try output.map {
      try allWindows.write(to: $0.appending(path: StatisticsManifest.tokensFile))
    }
    if ranks.isFirst, let note = whole.compute.note { progress.note(note) }
    let run = own.run(model, windows, memory: memory, folder: folder)
    let sequences = ranks.shares(of: whole.sequences).map(\.count)
    let factors = JointFactors(
      ranks: ranks,
      positions: sequences.map { $0 * windows.length },
      files: FactorFiles(folder: output ?? folder, blocks: whole.blocks)
    )
    let loss = try run.finish(writing: factors, progress: progress)
    var finished = whole
    finished.loss = try ranks.meanLoss(loss, sequences: sequences)
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
