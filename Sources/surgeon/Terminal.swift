import Foundation
import LLMSurgeon
import Synchronization

/// What standard output is.
enum Terminal {
  /// Whether colours and bars make sense there.
  static var isTerminal: Bool {
    isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
  }

  /// Whether the text that was written last to a terminal goes on in the line where the cursor is.
  static let isLineOpen = Atomic<Bool>(false)

  /// Writes text to standard output at once, as it is.
  ///
  /// - Throws: `JobError` if it cannot be written.
  static func write(_ text: String) throws {
    if isatty(STDOUT_FILENO) == 1, let last = text.utf8.last {
      isLineOpen.store(last != UInt8(ascii: "\n"), ordering: .releasing)
    }
    do {
      try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    } catch {
      let reason = error.localizedDescription
      throw JobError.unwritable(path: "standard output", reason: reason)
    }
  }

  /// Writes what was printed and is not written yet.
  ///
  /// - Throws: `JobError` if it cannot be written.
  static func flush() throws {
    guard fflush(nil) == 0 else {
      // SAFETY: `strerror` returns a terminated string that is copied at once.
      let reason = unsafe String(cString: strerror(errno))
      throw JobError.unwritable(path: "standard output", reason: reason)
    }
  }

  /// The width in characters; 100 where there is no terminal to ask.
  static var columns: Int {
    var size = winsize()
    // SAFETY: the call writes one `winsize`, which is what it is given.
    guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return 100
    }
    return Int(size.ws_col)
  }
}
