import ArgumentParser
import Foundation
import LLMSurgeon
import Training

/// A list of groups, with commas between them.
struct TrainedGroups: ExpressibleByArgument {
  let groups: [TrainedGroup]

  /// Reads names such as `biases,norms,mask-lora`.
  init?(argument: String) {
    let words = argument.split(separator: ",", omittingEmptySubsequences: false)
    groups = words.compactMap { TrainedGroup(rawValue: String($0)) }
    guard groups.count == words.count else { return nil }
  }
}

/// What is trained and how; every command that trains takes these.
struct TrainingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      What is trained, with commas: biases, norms, head, and one of mask-lora, scale-lora, spp, \
      lora-prune, lora, full.
      """,
      valueName: "groups"
    )
  )
  var train: TrainedGroups

  @Option(help: "The steps of the optimizer.")
  var steps: Int = 1000

  @Option(help: "The highest learning rate.")
  var learningRate: Double = 1e-4

  @Option(help: "How the rate goes on after its rise: linear, cosine or constant.")
  var schedule: RateShape = .linear

  @Option(help: "The share of the steps in which the rate rises.")
  var warmUp: Double = 0.1

  @Option(help: "The share of the highest rate that the fall leads to.")
  var finalRate: Double = 0

  @Option(help: "The decay of weights and factors, not of biases and norms.")
  var weightDecay: Double = 0

  @Option(help: "The largest norm of the gradient (none unless given).")
  var clip: Double?

  @Option(help: "The rank of the two factors.")
  var rank: Int = 16

  @Option(help: "The strength of the two factors: they are multiplied by alpha / rank.")
  var alpha: Double = 32

  @Flag(help: "Give layers without a bias one, zero at first (family llama).")
  var addBiases = false

  @Option(help: "The seed of the factors' start and of the windows' order.")
  var seed: UInt64 = 0

  /// The choice, for the library.
  var choice: TrainingChoice {
    var choice = TrainingChoice(groups: train.groups, steps: steps, learningRate: learningRate)
    choice.schedule = schedule
    choice.warmUp = warmUp
    choice.finalRate = finalRate
    choice.weightDecay = weightDecay
    choice.clip = clip
    choice.rank = rank
    choice.alpha = alpha
    choice.addsBiases = addBiases
    choice.seed = seed
    return choice
  }

  func validate() throws {
    guard 1...10_000_000 ~= steps else {
      throw ValidationError("--steps must be between 1 and 10000000")
    }
    guard learningRate > 0, learningRate.isFinite else {
      throw ValidationError("--learning-rate must be above 0")
    }
    guard warmUp >= 0, warmUp < 1 else {
      throw ValidationError("--warm-up must be at least 0 and less than 1")
    }
    guard 0...1 ~= finalRate else { throw ValidationError("--final-rate must be from 0 to 1") }
    guard weightDecay >= 0, weightDecay.isFinite else {
      throw ValidationError("--weight-decay must be a number that is not negative")
    }
    if let clip, !(clip > 0 && clip.isFinite) { throw ValidationError("--clip must be above 0") }
    guard 1...4096 ~= rank else { throw ValidationError("--rank must be between 1 and 4096") }
    guard alpha > 0, alpha.isFinite else { throw ValidationError("--alpha must be above 0") }
  }
}

/// Tokens that are not trained on.
struct TrainingHeldOutOptions: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Texts for a perplexity on the way and at the end.", valueName: "file"),
    completion: .file()
  )
  var heldOutText: [String] = []

  @Option(
    help: ArgumentHelp("The same from a token file.", valueName: "file"),
    completion: .file()
  )
  var heldOutTokens: String?

  @Option(help: "The most held-out windows (all unless given).")
  var heldOutWindows: Int?

  /// The held-out tokens, or nil if none were given.
  var input: TokenInput? {
    if let heldOutTokens { return .tokens(URL(filePath: heldOutTokens)) }
    return heldOutText.isEmpty ? nil : .text(heldOutText.map { URL(filePath: $0) })
  }

  func validate() throws {
    guard heldOutText.isEmpty || heldOutTokens == nil else {
      throw ValidationError("give --held-out-text or --held-out-tokens, not both")
    }
    if let heldOutWindows, heldOutWindows < 1 {
      throw ValidationError("--held-out-windows must be at least 1")
    }
  }
}
