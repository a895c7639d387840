import ArgumentParser
import Foundation
import LLMSurgeon

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
      What is trained, with commas: biases, norms, embeddings or head, and one of mask-lora, scale-lora, spp, \
      lora-prune, lora, full.
      """,
      valueName: "groups"
    )
  )
  var train: TrainedGroups

  @OptionGroup
  var optimizer: OptimizerOptions

  @Option(help: "The rank of the two factors.")
  var rank: Int = 16

  @Option(help: "The strength of the two factors: they are multiplied by alpha / rank.")
  var alpha: Double = 32

  @Flag(help: "Give layers without a bias one, zero at first (family llama).")
  var addBiases = false

  /// The choice, for the library.
  var choice: TrainingChoice {
    var choice = TrainingChoice(groups: train.groups)
    optimizer.apply(to: &choice)
    choice.rank = rank
    choice.alpha = alpha
    choice.addsBiases = addBiases
    return choice
  }

  func validate() throws {
    guard optimizer.steps != 0 else { throw ValidationError("--steps must be at least 1") }
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
  var input: TokenInput? { TokenInput(texts: heldOutText, tokens: heldOutTokens) }

  func validate() throws {
    try checkHeldOut(texts: heldOutText, tokens: heldOutTokens)
    if let heldOutWindows, heldOutWindows < 1 {
      throw ValidationError("--held-out-windows must be at least 1")
    }
  }
}
