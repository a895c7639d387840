import ArgumentParser
import Foundation
import LLMSurgeon

/// What differs between the shots of a pruning.
struct ShotOptions: ParsableArguments {
  @Option(help: "How the target rises: linear (unless given), or cubic (most of it early).")
  var shotRamp: ShotRamp?

  @Option(help: "Calibrate every shot on the same windows (unless given), or on fresh ones.")
  var shotData: ShotData?

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

  @Option(help: "The highest learning rate of that training (1e-4 unless given).")
  var correctionRate: Double?

  /// The schedule, for the library.
  var schedule: ShotSchedule {
    ShotSchedule(
      ramp: shotRamp ?? .linear,
      data: shotData ?? .same,
      heldOut: TokenInput(texts: heldOutText, tokens: heldOutTokens),
      correction: correction
    )
  }

  /// The training between the shots; nil for none.
  private var correction: ShotCorrection? {
    guard let correctBetweenShots else { return nil }
    var correction = ShotCorrection(steps: correctBetweenShots)
    if let correctionRate { correction.learningRate = correctionRate }
    return correction
  }

  /// The first option given, if any is.
  var firstGiven: String? {
    OptionName.first(given: [
      ("--shot-ramp", shotRamp != nil), ("--shot-data", shotData != nil),
      ("--held-out-text", !heldOutText.isEmpty), ("--held-out-tokens", heldOutTokens != nil),
      ("--correct-between-shots", correctBetweenShots != nil),
      ("--correction-rate", correctionRate != nil),
    ])
  }

  func validate() throws {
    if let correctBetweenShots, !(1...1_000_000 ~= correctBetweenShots) {
      throw ValidationError("--correct-between-shots must be between 1 and 1000000")
    }
    if let correctionRate, !(correctionRate > 0 && correctionRate.isFinite) {
      throw ValidationError("--correction-rate must be above 0")
    }
    guard correctionRate == nil || correctBetweenShots != nil else {
      throw ValidationError(
        "--correction-rate is of a training between shots: give --correct-between-shots with it"
      )
    }
    try checkHeldOut(texts: heldOutText, tokens: heldOutTokens)
  }
}
