import ArgumentParser
import Foundation
import LLMSurgeon

/// The command `surgeon measure`.
struct MeasureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure",
    abstract: "Measures how long heads and neurons take here, for 'prune --target-speedup'.",
    discussion: """
      The operations that read a prompt are timed at many numbers of heads and neurons, with \
      made-up weights of the model's sizes. The table is a JSON file that may be replaced by one \
      measured elsewhere (docs/timing-table.md). Measure on a quiet machine.
      """
  )

  @Argument(help: "The model.")
  var model: String

  @Option(name: .shortAndLong, help: "The timing table to write.", completion: .file())
  var output: String

  @Option(help: "The tokens of the prompt.")
  var promptLength = 128

  @Option(help: "How often each time is taken; the least counts.")
  var repeats = 15

  @Option(help: "After so many seconds no further repeat begins.")
  var seconds = 60.0

  @Flag(help: "Replace a former timing table.")
  var overwrite = false

  @OptionGroup(title: "Run")
  var session: RunOptions

  func validate() throws {
    if output.isEmpty { throw ValidationError("--output must name a file") }
    guard 1...65_536 ~= promptLength else {
      throw ValidationError("--prompt-length must be between 1 and 65536")
    }
    guard 1...1000 ~= repeats else { throw ValidationError("--repeats must be between 1 and 1000") }
    guard seconds > 0, seconds <= 86_400 else {
      throw ValidationError("--seconds must be above 0 and at most 86400")
    }
  }

  func run() throws {
    try Session.run(session) { progress in
      let file = URL(filePath: output)
      try TimingTable.check(output: file, overwrite: overwrite)
      let table = try measureTimings(
        model: model,
        promptTokens: promptLength,
        repeats: repeats,
        seconds: seconds,
        progress: progress
      )
      try table.write(to: file)
      print(table.text)
    }
  }
}
