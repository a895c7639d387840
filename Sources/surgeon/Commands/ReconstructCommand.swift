import ArgumentParser
import Foundation
import LLMSurgeon

/// The command `surgeon reconstruct`.
struct ReconstructCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconstruct",
    abstract: "Fits a pruned model to the dense one, part by part; what is zero stays zero.",
    discussion: """
      A part keeps its old values unless its error falls. With --window matrix each matrix's least \
      squares are solved exactly, for --train full or biases,full; wider windows are trained. An \
      interrupted run continues when the same command is given again.
      """
  )

  @Argument(help: "The pruned model, in the shapes of the dense one.")
  var model: String

  @Option(help: "The model before it was pruned.")
  var dense: String

  @OptionGroup(title: "Tokens")
  var input: InputOptions

  @Option(help: "The number of windows of tokens (128 of a text, all rows of a token file).")
  var samples: Int?

  @Option(help: "The tokens of a window (2048 or what the model takes; a token file's row).")
  var length: Int?

  @Option(help: "The sequences of a step.")
  var batch: Int = 2

  @Option(help: "How much is fitted at a time: matrix, parts, or a number of blocks.")
  var window: ReconstructionWindow = .blocks(1)

  @Option(help: "What a part reads: what the parts before it hand on, pruned or dense.")
  var inputs: ReconstructionInput = .pruned

  @Option(help: "What it is fitted to: the dense-path, or the dense part on the same-input.")
  var target: ReconstructionTarget = .densePath

  @OptionGroup(title: "Training")
  var training: TrainingOptions

  @OptionGroup(title: "Held-out tokens")
  var heldOut: TrainingHeldOutOptions

  @OptionGroup(title: "Output")
  var checkpoint: CheckpointOptions

  @Flag(help: "Print the report as JSON.")
  var json = false

  @OptionGroup(title: "Run")
  var session: RunOptions

  func validate() throws {
    _ = try input.required()
    if let length, length < 2 { throw ValidationError("--length must be at least 2") }
    if let samples, samples < 1 { throw ValidationError("--samples must be at least 1") }
    guard 1...1_000_000 ~= batch else {
      throw ValidationError("--batch must be between 1 and 1000000")
    }
  }

  func run() throws {
    try Session.run(session) { progress in
      var data = TrainingData(input: try input.required(), length: length, batch: batch)
      data.heldOut = heldOut.input
      data.heldOutWindows = heldOut.heldOutWindows
      let options = ReconstructOptions(
        model: model,
        dense: dense,
        data: data,
        windows: WindowChoice(samples: samples, length: length, seed: training.optimizer.seed),
        reconstruction: ReconstructionChoice(window: window, inputs: inputs, target: target),
        training: training.choice,
        output: checkpoint.url,
        overwrite: checkpoint.overwrite
      )
      let report = try reconstruct(options, progress: progress)
      print(
        json
          ? report.json : report.text(columns: Terminal.columns, isTerminal: Terminal.isTerminal)
      )
    }
  }
}
