import ArgumentParser
import Foundation
import LLMSurgeon

/// The command `surgeon evaluate`.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Perplexity, with the protocol printed beside the number.",
    discussion: """
      Text is tokenised once without special tokens and cut into windows without overlap, the \
      remainder dropped; perplexity is exp of the mean over windows of the mean cross entropy of \
      the predicted positions, in single precision.
      """
  )

  @Argument(help: "The model.")
  var model: String

  @OptionGroup(title: "Tokens")
  var input: InputOptions

  @Option(help: "The tokens of a window (2048 or what the model takes; a token file's row).")
  var length: Int?

  @Option(help: "The number of windows, the first ones (all unless given).")
  var windows: Int?

  @Option(
    help: ArgumentHelp(
      "Also write the logits of these windows to a new safetensors file.",
      valueName: "file"
    ),
    completion: .file()
  )
  var logits: String?

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup(title: "Run")
  var session: RunOptions

  func validate() throws {
    _ = try input.required()
    if let length, length < 2 { throw ValidationError("--length must be at least 2") }
    if let windows, windows < 1 { throw ValidationError("--windows must be at least 1") }
  }

  func run() throws {
    try Session.run(session) { progress in
      let result = try evaluate(
        EvaluationOptions(
          model: model,
          input: try input.required(),
          length: length,
          windows: windows,
          logits: logits.map { URL(filePath: $0) }
        ),
        progress: progress
      )
      print(json ? result.json : result.text)
    }
  }
}
