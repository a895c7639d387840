internal import FoundationEssentials
internal import Glibc

/// What processes that were killed left of an output under temporary names.
package enum AbandonedOutput {
  /// The ending of the name under which a folder waits that is being replaced.
  package static let replacedSuffix = ".old"

  /// Removes the temporary files and folders of an output whose processes are gone.
  ///
  /// A folder that was moved aside to be replaced gets its name back if nothing took its place.
  ///
  /// - Parameter output: The path of the output; what it is called is not touched.
  package static func clear(beside output: String) {
    let (directory, name) = FilePath.split(output)
    let prefix = ".\(name).partial-"
    let names = try? FileManager.default.contentsOfDirectory(atPath: directory)
    // What was moved aside comes last, when all else is out of the way.
    for candidate in (names ?? []).sorted() where candidate.hasPrefix(prefix) {
      let path = FilePath.join(directory, candidate)
      var suffix = candidate.dropFirst(prefix.count)
      let isReplaced = suffix.hasSuffix(replacedSuffix)
      if isReplaced { suffix.removeLast(replacedSuffix.count) }
      guard let process = process(suffix), isGone(process), !StagingArea.contains(path),
        FileLock.isFree(path)
      else { continue }
      if isReplaced, !FileManager.default.fileExists(atPath: output) {
        // SAFETY: both paths are terminated strings during the call.
        unsafe _ = rename(path, output)
      } else {
        try? FileManager.default.removeItem(atPath: path)
      }
    }
  }

  /// The process in `1234` or `1234-5`.
  private static func process(_ suffix: Substring) -> Int32? {
    let numbers = suffix.split(separator: "-", omittingEmptySubsequences: false)
    guard 1...2 ~= numbers.count, numbers.allSatisfy({ $0.allSatisfy(\.isNumber) }) else {
      return nil
    }
    return Int32(numbers[0]).flatMap { $0 > 0 ? $0 : nil }
  }

  /// Whether a process of that number runs no more; this one left nothing that it does not know.
  private static func isGone(_ process: Int32) -> Bool {
    process == getpid() || kill(process, 0) != 0 && errno == ESRCH
  }
}
