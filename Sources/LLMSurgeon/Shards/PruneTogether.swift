import ExactJSON
import Foundation
package import MessagePassing

/// Prunes a model on several processes, which share the layers, and between shots the windows.
///
/// The ranks meet in the folder of the unfinished run beside the output, so it lies on a disk that all
/// of them see. What is pruned from the same statistics with the same kernels has the same bytes as with
/// one process. When all are started again with the same options, in whatever number, they go on.
///
/// - Parameters:
///   - options: The same on every rank.
///   - ranks: The processes.
///   - progress: Hears how it goes on, on the first rank.
/// - Returns: Where the budget went and what it cost; nil on all ranks but the first.
/// - Throws: ``JobError``, or an error of the model, the solver or files; the caller then ends all ranks,
///   which may be waiting for this one.
package func prune(
  _ options: PruneOptions,
  together ranks: any RankGroup,
  progress: any ProgressListener
) throws -> PruneReport? {
  try options.checkSharing()
  var options = options
  options.memory.limit = options.memory.bytes(sharedBy: ranks.localCount)
  let job = try PruneJob(options, isWriting: ranks.isFirst)
  try job.agree(with: ranks)
  guard ranks.isFirst else {
    let folder = UnfinishedFolder.location(for: options.output)
    try ranks.checkSight(of: folder, identity: job.identity)
    try job.assist(in: folder, ranks: ranks)
    return nil
  }
  let folder = try UnfinishedFolder(for: options.output, identity: job.identity)
  try folder.run { try ranks.checkSight(of: folder.url, identity: job.identity) }
  return try job.complete(in: folder, ranks: ranks, progress: progress)
}

extension RankGroup {
  /// Finds out whether all ranks see the folder that the first one has opened.
  ///
  /// - Throws: ``JobError/badSetting(_:)`` naming the first rank that does not.
  fileprivate func checkSight(of folder: URL, identity: JSONValue) throws {
    try meet()
    let answers = try allGather([UnfinishedFolder.isOpen(folder, for: identity) ? 1 : 0])
    guard let blind = answers.firstIndex(of: [0]) else { return }
    throw JobError.badSetting(
      "rank \(blind) does not see the work of rank 0 in \(folder.relativePath): "
        + "give all ranks the same output, on a disk that they share"
    )
  }
}
