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

  @OptionGroup(title: "Training tokens")
  var input: InputOptions

  @Option(help: "The tokens of a window (2048 or what the model takes; a token file's row).")
  var length: Int?

  @Option(help: "The windows that go through the model at once.")
  var batch: Int = 8

  @Option(help: "How many such batches make one step.")
  var accumulation: Int = 1

  @OptionGroup(title: "Training")
  var training: TrainingOptions

  @OptionGroup(title: "Held-out tokens")
  var heldOut: TrainingHeldOutOptions

  @Option(
    help: "Measure the held-out perplexity and save the state every so many steps (a tenth)."
  )
  var interval: Int?

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

  func validate() throws {
    _ = try input.required()
    if let length, length < 2 { throw ValidationError("--length must be at least 2") }
    for (name, value) in [
      ("--batch", batch), ("--accumulation", accumulation), ("--interval", interval ?? 1),
    ] where !(1...1_000_000 ~= value) {
      throw ValidationError("\(name) must be between 1 and 1000000")
    }
  }

  func run() throws {
    try Session.run(session) { progress in
      let report = try retrain(
        RetrainOptions(
          model: model,
          data: try data,
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

  private var data: TrainingData {
    get throws {
      var data = TrainingData(input: try input.required(), length: length, batch: batch)
      data.accumulation = accumulation
      data.heldOut = heldOut.input
      data.heldOutWindows = heldOut.heldOutWindows
      data.interval = interval
      return data
    }
  }
}
