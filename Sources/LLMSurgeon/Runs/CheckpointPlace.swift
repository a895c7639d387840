import Checkpoint
import Foundation
import Tensors

/// Finds out before any work whether a checkpoint can be written where it shall go.
///
/// - Parameters:
///   - output: The directory to write.
///   - overwrite: Whether a former checkpoint is replaced.
///   - model: The model that is read meanwhile.
/// - Throws: `CheckpointError` or ``JobError/unwritable(path:reason:)``.
func checkPlace(_ output: URL, overwrite: Bool, apartFrom model: ModelDirectory) throws {
  do {
    // Makes an empty directory under a temporary name, and removes it.
    _ = try StagedDirectory(
      output.path,
      existing: overwrite
        ? .replaced(ifContaining: ModelDirectory.configurationName) : .refused,
      apartFrom: model.path
    )
  } catch let error as FileError {
    throw JobError.unwritable(path: output.relativePath, reason: error.reason)
  }
}
