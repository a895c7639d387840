import ArgumentParser
import Foundation
import LLMSurgeon

/// The tokens of a training, and how many of them make a step.
struct TrainingDataOptions: ParsableArguments {
  @OptionGroup(title: "Training tokens")
  var input: InputOptions

  @Option(help: "The tokens of a window (2048 or what the model takes; a token file's row).")
  var length: Int?

  @Option(help: "The windows that go through the model at once.")
  var batch: Int = 8

  @Option(help: "How many such batches make one step.")
  var accumulation: Int = 1

  @OptionGroup(title: "Held-out tokens")
  var heldOut: TrainingHeldOutOptions

  @Option(
    help: "Measure the held-out perplexity and save the state every so many steps (a tenth)."
  )
  var interval: Int?

  func validate() throws {
    _ = try input.required()
    if let length, length < 2 { throw ValidationError("--length must be at least 2") }
    for (name, value) in [
      ("--batch", batch), ("--accumulation", accumulation), ("--interval", interval ?? 1),
    ] where !(1...1_000_000 ~= value) {
      throw ValidationError("\(name) must be between 1 and 1000000")
    }
  }

  /// The tokens, for the library.
  func choice() throws -> TrainingData {
    var data = TrainingData(input: try input.required(), length: length, batch: batch)
    data.accumulation = accumulation
    data.heldOut = heldOut.input
    data.heldOutWindows = heldOut.heldOutWindows
    data.interval = interval
    return data
  }
}
