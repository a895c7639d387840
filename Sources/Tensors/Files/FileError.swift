internal import Glibc

/// Why the operating system refused something about a file or directory.
package struct FileError: Error, Equatable, CustomStringConvertible {
  /// What was tried.
  package enum Operation: String, Sendable {
    case open, read, write, create, rename, remove
    case synchronize = "flush"
    case list
  }

  /// What was tried.
  package let operation: Operation
  /// The file or directory.
  package let path: String
  /// The error number of the operating system.
  package let code: Int32

  /// Records a refusal.
  package init(_ operation: Operation, _ path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  /// Records the refusal that the last system call of this thread ended with.
  package static func last(_ operation: Operation, _ path: String) -> FileError {
    FileError(operation, path, code: errno)
  }

  /// Whether there was no room: the file system or the quota is full.
  package var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }

  /// The system's words for what went wrong.
  package var reason: String {
    // SAFETY: `strerror` returns a terminated string that is copied at once.
    unsafe String(cString: strerror(code))
  }

  package var description: String {
    let advice =
      isDiskFull
      ? "; free some space there or choose another place"
      : code == EFBIG ? "; files of this size are not allowed here, see 'ulimit -f'" : ""
    return "cannot \(operation.rawValue) \(path): \(reason)\(advice)"
  }
}
