import ExactJSON
import Foundation

/// Work that keeps its state in an unfinished folder beside its output, and goes on from there.
protocol ResumableRun {
  /// What a person gets to see of the result.
  associatedtype Outcome

  /// Everything that decides what the run computes.
  var identity: JSONValue { get }

  /// Does what is not done yet.
  ///
  /// - Parameters:
  ///   - folder: Where the state is kept.
  ///   - progress: Hears how it goes on.
  /// - Throws: What reading, computing and writing throw.
  mutating func finish(in folder: URL, progress: any ProgressListener) throws

  /// Writes the output.
  ///
  /// - Parameter progress: Hears what a person should know of it.
  /// - Returns: What was written.
  /// - Throws: What writing throws; then nothing is left but the state.
  func write(progress: any ProgressListener) throws -> Outcome
}

extension ResumableRun {
  /// Finishes the work, writes the output, and removes the state.
  ///
  /// - Parameters:
  ///   - output: What will be complete then; the state lies beside it.
  ///   - progress: Hears how it goes on.
  /// - Returns: What was written.
  /// - Throws: ``JobError`` if the remains of another run are there, or what the work throws.
  mutating func complete(
    for output: URL,
    progress: any ProgressListener
  ) throws -> Outcome {
    let folder = try UnfinishedFolder(for: output, identity: identity)
    let outcome = try folder.run {
      try finish(in: folder.url, progress: progress)
      return try write(progress: progress)
    }
    folder.discard()
    return outcome
  }
}
