internal import FoundationEssentials
internal import Synchronization

/// The files and folders that are being written under temporary names by this process.
///
/// A process that is interrupted ends without unwinding, so whoever answers the interruption
/// removes them here.
package enum StagingArea {
  private static let paths = Mutex<Set<String>>([])
  /// How often the removal of a folder is tried that is being written to.
  private static let removals = 100

  /// Notes a temporary file or folder.
  package static func enter(_ path: String) { paths.withLock { _ = $0.insert(path) } }

  /// Whether this process is writing a file or folder of that temporary name.
  static func contains(_ path: String) -> Bool { paths.withLock { $0.contains(path) } }

  /// Forgets one that is removed.
  package static func leave(_ path: String) { paths.withLock { _ = $0.remove(path) } }

  /// Gives a temporary file or folder its final name, which no interruption cuts in two.
  ///
  /// - Parameters:
  ///   - path: Its temporary name.
  ///   - rename: Renames it, and whatever has to make room.
  /// - Throws: What `rename` throws; the path counts as temporary still.
  package static func leave<Failure: Error>(
    _ path: String,
    by rename: () throws(Failure) -> Void
  ) throws(Failure) {
    try paths.withLock { paths throws(Failure) in
      try rename()
      paths.remove(path)
    }
  }

  /// Makes a file or folder; waits for ever once the process is about to end.
  ///
  /// - Parameter make: Makes it.
  /// - Throws: What `make` throws.
  package static func making<Failure: Error>(
    _ make: () throws(Failure) -> Void
  ) throws(Failure) {
    try paths.withLock { (_) throws(Failure) in try make() }
  }

  /// Removes everything that is still temporary, and ends the process.
  ///
  /// - Parameter end: Ends it. Until it has, nothing is renamed or made under the eyes of this type.
  package static func discardAll(_ end: () -> Never) -> Never {
    paths.withLock { paths -> Never in
      for path in paths.sorted() {
        // A thread may still put one file into a folder before it waits for the lock.
        for _ in 0..<removals where FileManager.default.fileExists(atPath: path) {
          try? FileManager.default.removeItem(atPath: path)
        }
      }
      end()
    }
  }
}
