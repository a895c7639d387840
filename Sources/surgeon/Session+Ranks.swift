import ArgumentParser
import LLMSurgeon
import MessagePassing

extension Session {
  /// Runs one command's work on all processes that mpirun started; a failure ends them all.
  ///
  /// - Parameters:
  ///   - options: Threads and progress; without a number of threads the processes of one machine share
  ///     its cores.
  ///   - body: The work of each rank; the first one alone shows progress.
  /// - Throws: `ValidationError` in a program that was built without MPI, or `ExitCode.failure` after the
  ///   error's line was printed.
  static func run(
    together options: RunOptions,
    _ body: (any RankGroup, any ProgressListener) throws -> Void
  ) throws {
    // For this the program may start again, which MPI does not allow once it runs.
    try chooseKernels(options)
    guard let ranks = MessagePassing.join() else {
      throw ValidationError(
        "this program was built without MPI: build it with 'swift build -c release --traits MPI'"
      )
    }
    if options.threads == nil { Threads.share(among: ranks.localCount) }
    try run(options, onFailure: ranks.abort) { progress in
      try body(ranks, ranks.isFirst ? progress : SilentProgress())
    }
    MessagePassing.leave()
  }
}
