import Testing

@Suite("Options that would change nothing")
struct IdleOptionTests {
  static let prune = ["prune", "m", "--target", "0.5", "--output", "o", "--text", "t"]
  static let shots = prune + ["--shots", "2"]
  static let neurons = prune + ["--structure", "neurons"]
  static let heads = prune + ["--structure", "heads"]
  static let element = prune + ["--structure", "element", "--method"]
  static let whole = ["prune", "m", "--output", "o", "--structure"]
  static let blocks = whole + ["blocks", "--remove-count", "1"]

  static let depth: [([String], String, String)] = [
    (blocks + ["--shot-ramp", "cubic"], "--shot-ramp", "--structure blocks"),
    (blocks + ["--shot-data", "same"], "--shot-data", "--structure blocks"),
    (blocks + ["--held-out-text", "t"], "--held-out-text", "--structure blocks"),
    (blocks + ["--held-out-tokens", "t"], "--held-out-tokens", "--structure blocks"),
    (blocks + ["--correct-between-shots", "5"], "--correct-between-shots", "--structure blocks"),
    (
      blocks + ["--correct-between-shots", "5", "--correction-rate", "0.1"], "--correct",
      "--structure blocks"
    ),
    (blocks + ["--multiple-of", "64"], "--multiple-of", "--structure blocks"),
    (blocks + ["--head-multiple-of", "2"], "--head-multiple-of", "--structure blocks"),
    (blocks + ["--max-share", "0.5"], "--max-share", "--structure blocks"),
    (blocks + ["--head-unit", "group"], "--head-unit", "--structure blocks"),
    (
      whole + ["attention", "--target", "0.1", "--max-share", "0.5"], "--max-share",
      "--structure attention"
    ),
    (
      whole + ["feed-forward", "--target", "0.1", "--shot-ramp", "linear"], "--shot-ramp",
      "--structure feed-forward"
    ),
    (blocks + ["--by", "loss", "--walks", "8"], "--walks", "--by shapley"),
    (blocks + ["--by", "input", "--keep-first", "1"], "--keep-first", "by score"),
    (
      whole + ["blocks", "--remove-list", "1", "--keep-last", "1"], "--keep-last", "by score"
    ),
    (blocks + ["--by", "input", "--samples", "3"], "--samples", "--tokens"),
  ]

  static let schedule: [([String], String, String)] = [
    (prune + ["--correction-rate", "0.1"], "--correction-rate", "--correct-between-shots"),
    (shots + ["--correction-rate", "0.1"], "--correction-rate", "--correct-between-shots"),
    (prune + ["--correct-between-shots", "5"], "--correct-between-shots", "--shots above 1"),
    (
      prune + ["--correct-between-shots", "5", "--correction-rate", "0.1"],
      "--correct-between-shots", "--shots above 1"
    ),
    (prune + ["--shot-ramp", "linear"], "--shot-ramp", "--shots above 1"),
    (prune + ["--shot-data", "same"], "--shot-data", "--shots above 1"),
    (prune + ["--held-out-tokens", "t"], "--held-out-tokens", "--shots above 1"),
  ]

  static let damping: [([String], String, String)] = [
    (element + ["kobd", "--damping-activations", "0.1"], "--damping-activations", "kobd"),
    (element + ["kobd", "--damping-gradients", "0.1"], "--damping-gradients", "kobd"),
    (element + ["lobd", "--damping-activations", "0.1"], "--damping-activations", "lobd"),
    (element + ["lobd", "--damping-gradients", "0.1"], "--damping-gradients", "lobd"),
    (
      element + ["magnitude", "--damping-activations", "0.1"], "--damping-activations",
      "magnitude"
    ),
    (element + ["magnitude", "--damping-gradients", "0.1"], "--damping-gradients", "magnitude"),
    (
      neurons + ["--method", "activation", "--damping-activations", "0.1"],
      "--damping-activations", "activation"
    ),
    (
      neurons + ["--method", "activation", "--damping-gradients", "0.1"], "--damping-gradients",
      "activation"
    ),
    (element + ["wanda", "--damping-activations", "0.1"], "--damping-activations", "wanda"),
    (element + ["wanda", "--damping-gradients", "0.1"], "--damping-gradients", "wanda"),
    (element + ["sparsegpt", "--damping-gradients", "0.1"], "--damping-gradients", "sparsegpt"),
    (element + ["alps", "--damping-gradients", "0.1"], "--damping-gradients", "alps"),
  ]

  static let widths: [([String], String, String)] = [
    (heads + ["--multiple-of", "64"], "--multiple-of", "neurons"),
    (neurons + ["--head-multiple-of", "2"], "--head-multiple-of", "heads"),
    (neurons + ["--head-unit", "query"], "--head-unit", "heads"),
    (neurons + ["--head-unit", "group"], "--head-unit", "heads"),
  ]

  static let calibration: [([String], String, String)] = [
    (element + ["wanda", "--labels", "sampled"], "--labels", "wanda"),
    (element + ["sparsegpt", "--labels", "empirical"], "--labels", "sparsegpt"),
    (element + ["alps", "--scratch-precision", "bf16"], "--scratch-precision", "alps"),
    (element + ["wanda", "--scratch-precision", "f32"], "--scratch-precision", "wanda"),
    (element + ["wanda", "--memory", "8GB"], "--memory", "wanda"),
    (
      [
        "prune", "m", "--target", "0.5", "--output", "o", "--statistics", "s",
        "--scratch-precision", "f32",
      ], "--scratch-precision", "--tokens"
    ),
  ]

  @Test(
    "are refused with their name and what they go with",
    arguments: depth + schedule + damping + widths + calibration
  )
  func refused(arguments: [String], option: String, word: String) throws {
    try expectUsageError(arguments, saying: option, word)
  }

  static let useful = [
    shots + ["--shot-ramp", "linear", "--shot-data", "same"],
    shots + ["--correct-between-shots", "5", "--correction-rate", "0.1"],
    prune + ["--damping-activations", "0.1", "--damping-gradients", "0.1"],
    prune + ["--labels", "empirical", "--scratch-precision", "f32", "--memory", "8GB"],
    element + ["sparsegpt", "--damping-activations", "0.1"],
    element + ["alps", "--damping-activations", "0.1", "--scratch", "."],
    prune + ["--structure", "neurons,heads", "--multiple-of", "64", "--head-multiple-of", "2"],
    heads + ["--head-unit", "query", "--max-share", "0.5"],
    blocks + ["--text", "t", "--samples", "3", "--keep-first", "1"],
    blocks + ["--text", "t", "--by", "shapley", "--walks", "8"],
  ]

  @Test("are not refused where they change something: the model is looked for", arguments: useful)
  func accepted(arguments: [String]) throws {
    try expectFailure(arguments, saying: "hf download m")
  }
}
