import ArgumentParser
import Foundation
import LLMSurgeon

/// The command `surgeon retrain`.
struct RetrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retrain",
    abstract: "Trains a few values of a pruned model; what is zero stays zero.",
    discussion: """
      An interrupted training continues where it saved its state last when the same command is \
      given again.
      """
  )

  @Argument(help: "The model.")
  var model: String

  @OptionGroup
  var data: TrainingDataOptions

  @OptionGroup(title: "Training")
  var training: TrainingOptions

  @OptionGroup(title: "Output")
  var checkpoint: CheckpointOptions

  @Option(
    help: ArgumentHelp("Also write a page with the curve of the loss.", valueName: "file"),
    completion: .file()
  )
  var html: String?

  @Flag(help: "Print the report as JSON.")
  var json = false

  @OptionGroup(title: "Run")
  var session: RunOptions

  func run() throws {
    try Session.run(session) { progress in
      let report = try retrain(
        RetrainOptions(
          model: model,
          data: try data.choice(),
          training: training.choice,
          output: checkpoint.url,
          overwrite: checkpoint.overwrite
        ),
        progress: progress
      )
      if let html { try report.writeHTML(to: URL(filePath: html)) }
      print(json ? report.json : report.text)
    }
  }
}
