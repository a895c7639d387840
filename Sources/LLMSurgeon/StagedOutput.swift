import Tensors

/// Output that has no final name yet.
public enum StagedOutput {
  /// Removes files and folders that are still under temporary names.
  ///
  /// Call it when an interrupted process is about to end. Work that a later run continues from is
  /// kept.
  ///
  /// - Returns: Whether there is such work.
  public static func discardAll() -> Bool {
    StagingArea.discardAll()
    return UnfinishedFolder.discardUnused()
  }
}
