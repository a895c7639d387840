import ArgumentParser
import Foundation
import LLMSurgeon

/// The command `surgeon report`.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Where the budget went and what it cost, layer by layer; the loss of a training."
  )

  @Argument(
    help: "A checkpoint directory that 'prune', 'retrain' or 'chop' wrote, or its report.",
    completion: .file()
  )
  var checkpoint: String

  @Option(
    help: ArgumentHelp("Write one self-contained HTML page.", valueName: "file"),
    completion: .file()
  )
  var html: String?

  @Option(help: ArgumentHelp("Write the JSON document.", valueName: "file"), completion: .file())
  var json: String?

  func run() throws {
    try Session.run(nil) { _ in
      let report = try SavedReport(at: URL(filePath: checkpoint))
      if let html { try report.writeHTML(to: URL(filePath: html)) }
      if let json { try report.writeJSON(to: URL(filePath: json)) }
      if html == nil, json == nil {
        print(try report.text(columns: Terminal.columns, isTerminal: Terminal.isTerminal))
      }
    }
  }
}
