import ExactJSON
import MessagePassing
import Tensors
import Transformer

extension RankGroup {
  /// What the files of this rank are told apart by.
  var name: String { "rank-\(rank + 1)-of-\(count)" }

  /// Refuses more ranks than windows.
  ///
  /// - Throws: ``JobError/badSetting(_:)``.
  func check(_ windows: TokenWindows) throws(JobError) {
    guard count > windows.count else { return }
    throw JobError.badSetting(
      "\(count) processes cannot share \(windows.count) windows: "
        + "start fewer processes, or take more windows (--samples)"
    )
  }

  /// Finds out whether all ranks were asked for the same.
  ///
  /// - Parameter identity: Everything that decides what the ranks compute.
  /// - Throws: ``JobError/badSetting(_:)`` naming the first rank that was not.
  func agree(on identity: JSONValue) throws {
    try agree(
      on: identity,
      "has another model, other windows or other options than rank 0; "
        + "give all ranks the same command and the same files"
    )
  }

  /// Finds out whether something is the same on all ranks.
  ///
  /// - Parameters:
  ///   - value: What has to be the same.
  ///   - problem: What is the matter with a rank where it is not, and what to do.
  /// - Throws: ``JobError/badSetting(_:)`` naming the first such rank.
  func agree(on value: JSONValue, _ problem: String) throws {
    var hasher = ContentHasher()
    hasher.update(JSONWriter.write(value, indent: nil))
    let all = try allGather(Array(hasher.finalize().description.utf8))
    guard let other = all.firstIndex(where: { $0 != all[0] }) else { return }
    throw JobError.badSetting("rank \(other) \(problem)")
  }

  /// What each rank takes of a number of windows or batches.
  ///
  /// - Parameter total: The number of all; if it is below that of ranks, the last ones take none.
  /// - Returns: For each rank neighbouring ones, as equal in number as can be.
  func shares(of total: Int) -> [Range<Int>] {
    let takers = min(count, total)
    return (0..<count).map { rank in
      CalibrationShard(index: rank + 1, of: takers)?.range(of: total) ?? total..<total
    }
  }

  /// The mean loss over the windows of all ranks.
  ///
  /// - Parameters:
  ///   - own: The mean over this rank's windows.
  ///   - sequences: How many windows each rank has.
  /// - Returns: The same on all ranks.
  /// - Throws: If another rank is gone.
  func meanLoss(_ own: Double, sequences: [Int]) throws -> Double {
    let losses = try allGather(own.littleEndianBytes).map { Double(littleEndianBytes: $0[...]) }
    return WeightedMean.loss(zip(losses, sequences).map { ($0, $1) })
  }
}

extension Double {
  fileprivate var littleEndianBytes: [UInt8] { Int64(bitPattern: bitPattern).littleEndianBytes }

  fileprivate init(littleEndianBytes bytes: ArraySlice<UInt8>) {
    self.init(bitPattern: UInt64(bitPattern: Int64(bytes: Array(bytes))))
  }
}

extension DecoderModel {
  /// The mean over windows of the mean cross entropy of each, measured by ranks together if there are
  /// several.
  ///
  /// - Parameters:
  ///   - windows: All windows.
  ///   - ranks: The processes that share them.
  ///   - progress: Hears how it goes on.
  /// - Returns: The loss in nats per predicted token, the same on all ranks.
  /// - Throws: What reading the model and computing throw, or if another rank is gone.
  func meanLoss(
    _ windows: TokenWindows,
    sharedBy ranks: (any RankGroup)?,
    progress: any ProgressListener
  ) throws -> Double {
    guard let ranks else { return try meanLoss(windows, progress: progress) }
    // Whole batches, so that every window is computed in the batch that one process has it in.
    let batch = Self.windowsAtOnce(windows)
    let batches = (windows.count + batch - 1) / batch
    let shares = ranks.shares(of: batches).map { share in
      min(windows.count, share.lowerBound * batch)..<min(windows.count, share.upperBound * batch)
    }
    var losses = try windowLosses(windows.selecting(shares[ranks.rank]), progress: progress)
    // As many from each rank: the first one has the most.
    losses += [Double](repeating: 0, count: shares[0].count - losses.count)
    let gathered = try ranks.allGather(losses.flatMap(\.littleEndianBytes))
    let all = zip(gathered, shares).flatMap { bytes, share in
      (0..<share.count).map { Double(littleEndianBytes: bytes[$0 * 8..<$0 * 8 + 8]) }
    }
    return all.reduce(0, +) / Double(all.count)
  }
}
