import ArgumentParser
import Dispatch
import Foundation
import LLMSurgeon

/// Runs one command's work with its threads, its progress, and a clean answer to Ctrl-C.
enum Session {
  /// Runs `body`; an interruption or a failure ends the process with one line and the right code.
  ///
  /// - Parameters:
  ///   - options: Threads and progress.
  ///   - body: The work.
  /// - Throws: `ExitCode.failure` after the error's line was printed.
  static func run(_ options: RunOptions, _ body: (ProgressPrinter) throws -> Void) throws {
    if let threads = options.threads { Threads.limit(to: threads) }
    let interruption = watchInterruption()
    defer { interruption.forEach { $0.cancel() } }
    do {
      try body(options.progress)
    } catch {
      report("\(error)")
      throw ExitCode.failure
    }
  }

  /// Ends the process on SIGINT and SIGTERM: staged output is removed, unfinished work is kept.
  private static func watchInterruption() -> [any DispatchSourceSignal] {
    [(SIGINT, "interrupted"), (SIGTERM, "terminated")].map { number, word in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        StagedOutput.discardAll()
        report("\(word); give the same command again to continue")
        exit(128 + number)
      }
      source.resume()
      return source
    }
  }

  /// Prints one line to standard error.
  private static func report(_ message: String) {
    let clear = isatty(STDERR_FILENO) == 1 ? "\r\u{1B}[K" : ""
    FileHandle.standardError.write(Data("\(clear)surgeon: \(message)\n".utf8))
  }
}
