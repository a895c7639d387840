import ArgumentParser
import Dispatch
import Foundation
import LLMSurgeon
import Synchronization

/// Runs one command's work with its threads, its progress, and a clean answer to Ctrl-C.
enum Session {
  private static let isInterrupted = Atomic<Bool>(false)

  /// Runs `body`; an interruption or a failure ends the process with one line and the right code.
  ///
  /// - Parameters:
  ///   - options: Threads and progress; nil for work that has neither.
  ///   - onFailure: What else to do after the error's line was printed.
  ///   - body: The work.
  /// - Throws: `ExitCode.failure` after the error's line was printed.
  static func run(
    _ options: RunOptions?,
    onFailure: () -> Void = {},
    _ body: (ProgressPrinter) throws -> Void
  ) throws {
    try chooseKernels(options)
    if let threads = options?.threads { Threads.limit(to: threads) }
    // A file beyond the allowed size is an error like a full disk, not the end of the process.
    signal(SIGXFSZ, SIG_IGN)
    let interruption = watchInterruption()
    defer { interruption.forEach { $0.cancel() } }
    do {
      try body(options?.progress ?? ProgressPrinter(isQuiet: true))
      try Terminal.flush()
    } catch {
      // What failed may have failed because its temporary files were removed.
      while isInterrupted.load(ordering: .acquiring) { sleep(1) }
      report("\(error)")
      onFailure()
      throw ExitCode.failure
    }
  }

  /// Has the right kernels compute, for which the program may start again.
  static func chooseKernels(_ options: RunOptions?) throws {
    guard let options else { return }
    do {
      try KernelChoice(options.blasCore).apply()
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
        isInterrupted.store(true, ordering: .releasing)
        StagedOutput.discardAll { isUnfinished in
          report(isUnfinished ? "\(word); give the same command again to continue" : word)
          // The other threads still compute, so nothing they use may be torn down.
          _exit(128 + number)
        }
      }
      source.resume()
      return source
    }
  }

  /// Prints one line to standard error.
  private static func report(_ message: String) {
    // Progress is wiped off its line; text that was asked for is not.
    let isTextOpen = Terminal.isLineOpen.load(ordering: .acquiring)
    let clear = isTextOpen ? "\n" : isatty(STDERR_FILENO) == 1 ? "\r\u{1B}[K" : ""
    FileHandle.standardError.write(Data("\(clear)surgeon: \(message)\n".utf8))
  }
}
