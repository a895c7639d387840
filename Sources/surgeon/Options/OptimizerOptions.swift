import ArgumentParser
import LLMSurgeon
import Training

/// How the optimizer goes; what is not given is left as the command has it.
struct OptimizerOptions: ParsableArguments {
  @Option(help: "The steps of the optimizer (1000 unless given).")
  var steps: Int?

  @Option(help: "The highest learning rate (1e-4, of chop 3e-4, unless given).")
  var learningRate: Double?

  @Option(
    help: "How the rate goes on after its rise: linear, cosine (of chop unless given), or constant."
  )
  var schedule: RateShape?

  @Option(help: "The share of the steps in which the rate rises (0.1 unless given).")
  var warmUp: Double?

  @Option(
    help: "The share of the highest rate that the fall leads to (0, of chop 0.1, unless given)."
  )
  var finalRate: Double?

  @Option(
    help:
      "The decay of weights and factors, not of biases and norms (0, of chop 0.1, unless given)."
  )
  var weightDecay: Double?

  @Option(help: "The largest norm of the gradient (none, of chop 1, unless given).")
  var clip: Double?

  @Option(help: "The seed of the windows' order and of the factors' start.")
  var seed: UInt64 = 0

  /// Changes what is given.
  func apply(to choice: inout TrainingChoice) {
    if let steps { choice.steps = steps }
    if let learningRate { choice.learningRate = learningRate }
    if let schedule { choice.schedule = schedule }
    if let warmUp { choice.warmUp = warmUp }
    if let finalRate { choice.finalRate = finalRate }
    if let weightDecay { choice.weightDecay = weightDecay }
    if let clip { choice.clip = clip }
    choice.seed = seed
  }

  func validate() throws {
    if let steps, !(0...10_000_000 ~= steps) {
      throw ValidationError("--steps must be between 0 and 10000000")
    }
    if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
      throw ValidationError("--learning-rate must be above 0")
    }
    if let warmUp, !(warmUp >= 0 && warmUp < 1) {
      throw ValidationError("--warm-up must be at least 0 and less than 1")
    }
    if let finalRate, !(0...1 ~= finalRate) {
      throw ValidationError("--final-rate must be from 0 to 1")
    }
    if let weightDecay, !(weightDecay >= 0 && weightDecay.isFinite) {
      throw ValidationError("--weight-decay must be a number that is not negative")
    }
    if let clip, !(clip > 0 && clip.isFinite) { throw ValidationError("--clip must be above 0") }
  }
}
