import ArgumentParser
import LLMSurgeon

/// The command `surgeon inspect`.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "What a model is, its linear layers, and what a calibration and a pruning will need.",
    discussion: """
      With --samples or --length a small part of that calibration is done, to say how long all of it \
      takes.
      """
  )

  @Argument(help: "The model.")
  var model: String

  @Option(help: "The calibration windows to plan for (128).")
  var samples: Int?

  @Option(help: "The tokens of a window (2048 or what the model takes).")
  var length: Int?

  @Option(help: "How hidden states are kept between the passes: f32 or bf16.")
  var scratchPrecision: ScratchPrecision = .float32

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup(title: "Run")
  var session: RunOptions

  func validate() throws {
    if let samples, samples < 1 { throw ValidationError("--samples must be at least 1") }
    if let length, length < 2 { throw ValidationError("--length must be at least 2") }
  }

  func run() throws {
    try Session.run(session) { progress in
      let inspection = try inspect(
        model: model,
        plan: samples == nil && length == nil
          ? nil : WindowChoice(samples: samples, length: length),
        precision: scratchPrecision,
        progress: progress
      )
      print(
        json
          ? inspection.json
          : inspection.text(columns: Terminal.columns, isTerminal: Terminal.isTerminal)
      )
    }
  }
}
