import Foundation

/// Removes weights from a model, repairs the rest, and writes a checkpoint that ordinary software
/// loads.
///
/// With several shots the model is calibrated anew after each. An interrupted run continues when it
/// is called again with the same options, and ends with the same bytes.
///
/// - Parameters:
///   - options: The model, the data, what to remove, and where the result goes.
///   - progress: Hears how it goes on.
/// - Returns: Where the budget went and what it cost; the same lies beside the checkpoint.
/// - Throws: ``JobError``, or an error of the model, the solver or files, each one line of text.
public func prune(
  _ options: PruneOptions,
  progress: any ProgressListener = SilentProgress()
) throws -> PruneReport {
  let job = try PruneJob(options)
  let folder = try UnfinishedFolder(for: options.output, identity: job.identity)
  return try job.complete(in: folder, ranks: nil, progress: progress)
}
