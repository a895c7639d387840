import ArgumentParser
import Foundation
import LLMSurgeon

/// The command `surgeon demo`.
struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Prunes the embedded model in three ways and shows what it cost, in under a minute."
  )

  @Option(
    name: .shortAndLong,
    help: "The folder for the checkpoints and the report.",
    completion: .directory
  )
  var output = "demo-output"

  @Flag(help: "Replace an earlier demonstration.")
  var overwrite = false

  @OptionGroup(title: "Run")
  var session: RunOptions

  func validate() throws { try checkOutputName(output) }

  func run() throws {
    try Session.run(session) { progress in
      let demonstration = try demonstrate(
        output: URL(filePath: output),
        overwrite: overwrite,
        progress: progress
      )
      print(try demonstration.text(columns: Terminal.columns, isTerminal: Terminal.isTerminal))
    }
  }
}
