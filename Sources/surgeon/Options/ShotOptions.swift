import ArgumentParser
import Foundation
import LLMSurgeon

/// What differs between the shots of a pruning.
struct ShotOptions: ParsableArguments {
  @Option(help: "How the target rises from shot to shot: linear, or cubic (most of it early).")
  var shotRamp: ShotRamp = .linear

  @Option(help: "Calibrate every shot on the same windows, or draw fresh ones for each.")
  var shotData: ShotData = .same

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Measure the perplexity on these texts after each shot.",
      valueName: "file"
    ),
    completion: .file()
  )
  var heldOutText: [String] = []

  @Option(
    help: ArgumentHelp(
      "Measure the perplexity on this token file after each shot.",
      valueName: "file"
    ),
    completion: .file()
  )
  var heldOutTokens: String?

  @Option(
    help: ArgumentHelp(
      "Train the matrices by mask-lora for so many steps after each shot but the last.",
      valueName: "steps"
    )
  )
  var correctBetweenShots: Int?

  @Option(help: "The highest learning rate of that training.")
  var correctionRate: Double = 1e-4

  /// The schedule, for the library.
  var schedule: ShotSchedule {
    ShotSchedule(
      ramp: shotRamp,
      data: shotData,
      heldOut: TokenInput(texts: heldOutText, tokens: heldOutTokens),
      correction: correctBetweenShots.map {
        ShotCorrection(steps: $0, learningRate: correctionRate)
      }
    )
  }

  func validate() throws {
    if let correctBetweenShots, !(1...1_000_000 ~= correctBetweenShots) {
      throw ValidationError("--correct-between-shots must be between 1 and 1000000")
    }
    guard correctionRate > 0, correctionRate.isFinite else {
      throw ValidationError("--correction-rate must be above 0")
    }
    try checkHeldOut(texts: heldOutText, tokens: heldOutTokens)
  }
}
