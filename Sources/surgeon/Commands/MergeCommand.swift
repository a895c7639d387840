import ArgumentParser
import Foundation
import LLMSurgeon

/// The command `surgeon merge`.
struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Makes one set of statistics of those of 'surgeon calibrate --shard'.",
    discussion: """
      All shards of one calibration are needed, in any order. An interrupted merger continues where \
      it stopped when the same command is given again.
      """
  )

  @Argument(help: "The statistics directories of all shards.", completion: .directory)
  var statistics: [String]

  @Option(
    name: .shortAndLong,
    help: "The statistics directory to write.",
    completion: .directory
  )
  var output: String

  @Flag(help: "Replace an existing statistics directory.")
  var overwrite = false

  @OptionGroup(title: "Run")
  var session: RunOptions

  func validate() throws { try checkOutputName(output) }

  func run() throws {
    try Session.run(session) { progress in
      let summary = try merge(
        MergeOptions(
          shards: statistics.map { URL(filePath: $0, directoryHint: .isDirectory) },
          output: URL(filePath: output),
          overwrite: overwrite
        ),
        progress: progress
      )
      print(summary.text)
    }
  }
}
