import Tensors

/// Output that has no final name yet.
public enum StagedOutput {
  /// Removes files and folders that are still under temporary names.
  ///
  /// Call it when an interrupted process is about to end. Work that a later run continues from is
  /// kept.
  ///
  /// - Parameter end: Ends the process; receives whether there is such work.
  public static func discardAll(_ end: (_ isUnfinished: Bool) -> Never) -> Never {
    StagingArea.discardAll { end(UnfinishedFolder.discardUnused()) }
  }
}
