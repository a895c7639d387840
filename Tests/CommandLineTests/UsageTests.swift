import TestKit
import Testing

@Suite("Usage")
struct UsageTests {
  static let options = [
    "inspect": [
      "--samples", "--length", "--scratch-precision", "--json", "--threads", "--blas-core",
      "--quiet",
    ],
    "calibrate": [
      "--text", "--tokens", "--samples", "--length", "--seed", "--labels", "--output",
      "--overwrite", "--memory", "--scratch", "--scratch-precision", "--threads", "--blas-core",
      "--quiet",
    ],
    "prune": [
      "--statistics", "--text", "--tokens", "--samples", "--length", "--seed", "--labels",
      "--structure", "--target", "--target-parameters", "--target-bytes",
      "--target-kv-bytes-per-token", "--target-speedup", "--timing-table", "--sweep", "--method",
      "--allocation", "--shots", "--steps",
      "--damping-activations", "--damping-gradients", "--repair-steps", "--exchanges",
      "--repair", "--profile",
      "--output", "--overwrite", "--head-unit", "--multiple-of", "--head-multiple-of",
      "--keep-first", "--keep-last", "--max-share", "--shot-ramp", "--shot-data", "--held-out-text",
      "--held-out-tokens", "--memory", "--scratch", "--scratch-precision", "--by",
      "--remove-count", "--remove-list", "--iterative", "--walks", "--emulate",
      "--correct-between-shots", "--correction-rate", "--json", "--threads", "--blas-core",
      "--quiet",
    ],
    "depth": [
      "--text", "--tokens", "--samples", "--length", "--seed", "--structure", "--metric", "--span",
      "--walks", "--json", "--threads", "--blas-core", "--quiet",
    ],
    "measure": [
      "--output", "--prompt-length", "--repeats", "--seconds", "--overwrite", "--threads",
      "--blas-core",
      "--quiet",
    ],
    "export": [
      "--format", "--profile", "--legacy-config", "--output", "--overwrite", "--threads",
      "--blas-core", "--quiet",
    ],
    "retrain": [
      "--text", "--tokens", "--length", "--batch", "--accumulation", "--train", "--steps",
      "--learning-rate", "--schedule", "--warm-up", "--final-rate", "--weight-decay", "--clip",
      "--rank", "--alpha", "--add-biases", "--seed", "--held-out-text", "--held-out-tokens",
      "--held-out-windows", "--interval", "--output", "--overwrite", "--html", "--json",
      "--threads", "--blas-core", "--quiet",
    ],
    "chop": [
      "--text", "--tokens", "--length", "--batch", "--accumulation", "--remove", "--keep",
      "--blocks", "--scheme", "--steps-before", "--every", "--steps", "--learning-rate",
      "--schedule", "--warm-up", "--final-rate", "--weight-decay", "--clip", "--seed", "--betas",
      "--distill-logits", "--distill-hidden", "--held-out-text", "--held-out-tokens",
      "--held-out-windows", "--interval", "--output", "--overwrite", "--profile", "--query",
      "--html", "--json", "--threads", "--blas-core", "--quiet",
    ],
    "reconstruct": [
      "--dense", "--text", "--tokens", "--samples", "--length", "--batch", "--window", "--inputs",
      "--target", "--train", "--steps", "--learning-rate", "--schedule", "--rank", "--alpha",
      "--held-out-text", "--held-out-tokens", "--output", "--overwrite", "--json", "--threads",
      "--blas-core",
      "--quiet",
    ],
    "evaluate": [
      "--text", "--tokens", "--length", "--windows", "--logits", "--json", "--threads",
      "--blas-core", "--quiet",
    ],
    "generate": [
      "--prompt", "--prompt-tokens", "--tokens", "--ignore-eos", "--temperature", "--top-k",
      "--top-p", "--seed", "--speed", "--prompt-length", "--repeats", "--json", "--threads",
      "--blas-core",
      "--quiet",
    ],
    "report": ["--html", "--json"],
    "demo": ["--output", "--overwrite", "--threads", "--blas-core", "--quiet"],
  ]

  @Test("the help of a command lists its options", arguments: options)
  func help(command: String, options: [String]) throws {
    let output = try Surgeon.run([command, "--help"])
    #expect(output.status == 0)
    #expect(output.standardError == "")
    for option in options {
      #expect(
        output.standardOutput.contains("\(option) ")
          || output.standardOutput.contains("\(option)\n"),
        "\(option)"
      )
    }
  }

  @Test("the help of the program lists its commands")
  func commands() throws {
    let output = try Surgeon.run(["--help"])
    #expect(output.status == 0)
    for command in Self.options.keys { #expect(output.standardOutput.contains("  \(command) ")) }
    #expect(try Surgeon.run(["--version"]).standardOutput == "0.1.0\n")
  }

  static let calibrate = ["calibrate", "m", "--output", "o"]
  static let prune = ["prune", "m", "--statistics", "s", "--output", "o"]
  static let swept = ["prune", "m", "--statistics", "s", "--sweep"]
  static let sized = prune + ["--structure", "neurons"]
  static let element = prune + ["--structure", "element", "--target", "0.5"]
  static let measure = ["measure", "m", "--output", "o"]
  static let neurons = sized + ["--target", "0.5"]

  static let chop = ["chop", "m", "--text", "t", "--output", "o"]
  static let generate = ["generate", "m", "--prompt", "p"]

  static let layerwise = [
    "prune", "m", "--structure", "element", "--target", "0.5", "--method", "wanda", "--output", "o",
  ]

  static let retrain = ["retrain", "m", "--text", "t", "--output", "o"]
  static let norms = retrain + ["--train", "norms"]
  static let rebuild = ["reconstruct", "m", "--text", "t", "--output", "o", "--train", "norms"]

  static let wrong: [([String], String)] = [
    (retrain, "--train"), (retrain + ["--train", "norms,x"], "--train"),
    (norms + ["--steps", "0"], "--steps"), (norms + ["--batch", "0"], "--batch"),
    (norms + ["--learning-rate", "0"], "--learning-rate"), (norms + ["--clip", "0"], "--clip"),
    (norms + ["--warm-up", "1"], "--warm-up"), (norms + ["--rank", "0"], "--rank"),
    (norms + ["--held-out-text", "a", "--held-out-tokens", "b"], "not both"),
    (rebuild, "--dense"), (rebuild + ["--dense", "d", "--window", "0"], "--window"),
    (["unknown"], "unknown"),
    (["calibrate", "m", "--text", "t"], "--output"),
    (["calibrate", "--text", "t", "--output", "o"], "model"),
    (calibrate, "--text"),
    (calibrate + ["--text", "t", "--tokens", "u"], "not both"),
    (calibrate + ["--text", "t", "--samples", "0"], "--samples"),
    (calibrate + ["--text", "t", "--samples", "x"], "--samples"),
    (calibrate + ["--text", "t", "--length", "1"], "--length"),
    (calibrate + ["--text", "t", "--seed", "x"], "--seed"),
    (calibrate + ["--text", "t", "--labels", "x"], "--labels"),
    (calibrate + ["--text", "t", "--threads", "0"], "--threads"),
    (prune + ["--target", "0.5", "--scratch-precision", "bf16"], "--scratch-precision"),
    (["calibrate", "m", "--text", "t", "--output", ""], "--output"),
    (prune, "--target"),
    (prune + ["--target", "0"], "--target"),
    (prune + ["--target", "1"], "--target"),
    (prune + ["--target=-1"], "--target"),
    (prune + ["--target", "-1"], "--target"),
    (prune + ["--target", "half"], "--target"),
    (prune + ["--target", "nan"], "--target"),
    (prune + ["--target", "inf"], "--target"),
    (prune + ["--structure", "foo", "--target", "0.5"], "foo"),
    (prune + ["--structure", "5:4"], "5:4"),
    (prune + ["--structure", "0:4"], "0:4"),
    (prune + ["--structure", "4:4"], "4:4"),
    (prune + ["--structure", "2:32"], "2:32"),
    (prune + ["--structure", "2:4", "--target", "0.6"], "at most 0.5"),
    (prune + ["--target", "0.5", "--method", "x"], "--method"),
    (prune + ["--target", "0.5", "--allocation", "x"], "--allocation"),
    (prune + ["--structure", "neurons,foo", "--target", "0.5"], "neurons,foo"),
    (prune + ["--structure", "heads,heads", "--target", "0.5"], "heads,heads"),
    (prune + ["--structure", "neurons"], "--target"),
    (prune + ["--target", "0.5", "--method", "activation"], "neurons and heads"),
    (prune + ["--target", "0.5", "--multiple-of", "64"], "--structure"),
    (prune + ["--target", "0.5", "--head-unit", "query"], "--structure"),
    (prune + ["--sweep", "0.2,0.1"], "--sweep"),
    (swept + ["0.2", "--overwrite"], "--output"),
    (swept + ["0.2", "--output", ""], "--output"),
    (swept + ["0.2,0.1"], "--sweep"),
    (swept + ["0.2,1"], "--sweep"),
    (swept + [""], "--sweep"),
    (swept + ["0.1,nan"], "--sweep"),
    (swept + ["0.2", "--target", "0.5"], "--sweep"),
    (swept + ["0.2", "--repair", "sequential"], "--repair"),
    (prune + ["--target", "0.5", "--repair", "x"], "--repair"),
    (prune + ["--target", "0.5", "--method", "kobd", "--repair", "sequential"], "--repair"),
    (layerwise + ["--statistics", "s", "--repair", "sequential"], "--repair"),
    (swept + ["0.2", "--shots", "2"], "--shots"),
    (swept + ["0.4,0.6", "--structure", "2:4"], "at most 0.5"),
    (["prune", "m", "--statistics", "s", "--target", "0.5"], "--output"),
    (prune + ["--target-parameters", "1M"], "--structure"),
    (neurons + ["--target-parameters", "1M"], "not both"),
    (neurons + ["--target-bytes", "1Mb"], "--target-bytes"),
    (sized + ["--target-parameters", "0"], "--target-parameters"),
    (sized + ["--target-parameters", "1GB"], "--target-parameters"),
    (sized + ["--target-parameters", "1M", "--target-bytes", "1MB"], "one of"),
    (sized + ["--target-kv-bytes-per-token", "x"], "--target-kv-bytes-per-token"),
    (sized + ["--target-speedup", "1.5x"], "--timing-table"),
    (sized + ["--target-speedup", "1x", "--timing-table", "t"], "--target-speedup"),
    (sized + ["--target-speedup", "fast", "--timing-table", "t"], "--target-speedup"),
    (neurons + ["--target-speedup", "2x", "--timing-table", "t"], "not both"),
    (prune + ["--target", "0.5", "--timing-table", "t"], "--timing-table"),
    (prune + ["--target", "0.5", "--samples", "3"], "--samples"),
    (prune + ["--target", "0.5", "--length", "3"], "--length"),
    (prune + ["--target", "0.5", "--seed", "3"], "--seed"),
    (prune + ["--target", "0.5", "--labels", "sampled"], "--labels"),
    (prune + ["--target", "0.5", "--exchanges", "1"], "--exchanges"),
    (prune + ["--target", "0.5", "--repair-steps", "9"], "--repair-steps"),
    (neurons + ["--exchanges", "1"], "--exchanges"),
    (neurons + ["--repair-steps", "9"], "--repair-steps"),
    (prune + ["--target", "0.5", "--method", "kobd", "--steps", "2"], "--steps"),
    (element + ["--method", "lobd", "--exchanges", "1"], "--exchanges"),
    (element + ["--method", "magnitude", "--repair-steps", "9"], "--repair-steps"),
    (["measure", "m"], "--output"),
    (measure + ["--prompt-length", "0"], "--prompt-length"),
    (measure + ["--repeats", "0"], "--repeats"),
    (measure + ["--seconds", "0"], "--seconds"),
    (measure + ["--seconds", "nan"], "--seconds"),
    (neurons + ["--multiple-of", "48"], "--multiple-of"),
    (neurons + ["--head-multiple-of", "0"], "--head-multiple-of"),
    (neurons + ["--max-share", "0"], "--max-share"),
    (neurons + ["--max-share", "1.5"], "--max-share"),
    (neurons + ["--keep-first", "1"], "--allocation global"),
    (neurons + ["--keep-last=-1"], "--keep-last"),
    (neurons + ["--head-unit", "x"], "--head-unit"),
    (prune + ["--target", "0.5", "--shots", "0"], "--shots"),
    (prune + ["--target", "0.5", "--shots", "2"], "--shots"),
    (prune + ["--target", "0.5", "--steps", "0"], "--steps"),
    (layerwise + ["--tokens", "t", "--shots", "2"], "--shots"),
    (layerwise, "--tokens"),
    (layerwise + ["--tokens", "t", "--steps", "2"], "--steps"),
    (layerwise + ["--tokens", "t", "--exchanges", "2"], "--exchanges"),
    (prune + ["--target", "0.5", "--repair-steps", "0"], "--repair-steps"),
    (prune + ["--target", "0.5", "--exchanges=-1"], "--exchanges"),
    (prune + ["--target", "0.5", "--damping-gradients=-1"], "--damping-gradients"),
    (prune + ["--target", "0.5", "--damping-activations", "nan"], "--damping-activations"),
    (prune + ["--target", "0.5", "--text", "t"], "not both"),
    (["prune", "m", "--target", "0.5", "--output", "o"], "--statistics"),
    (prune + ["--target", "0.5", "--profile", "x"], "--profile"),
    (["export", "m"], "--output"),
    (["export", "m", "--output", ""], "--output"),
    (["export", "m", "--output", "o", "--profile", "x"], "--profile"),
    (["export", "m", "--output", "o", "--format", "x"], "--format"),
    (["export", "m", "--output", "o", "--legacy-config"], "packed"),
    (["prune", "m", "--statistics", "s", "--target", "0.5", "--output", ""], "--output"),
    (["evaluate", "m"], "--text"),
    (["evaluate", "m", "--text", "t", "--windows", "0"], "--windows"),
    (["evaluate", "m", "--text", "t", "--length", "1"], "--length"),
    (["inspect", "m", "--samples", "0"], "--samples"),
    (["report"], "checkpoint"),
    (chop, "--remove"),
    (chop + ["--remove", "0"], "--remove"),
    (chop + ["--remove=-1"], "--remove"),
    (chop + ["--keep", "1"], "--keep"),
    (chop + ["--remove", "1", "--keep", "3"], "one of"),
    (chop + ["--blocks", "1", "--scheme", "both"], "--scheme"),
    (chop + ["--remove", "1", "--every=-1"], "--every"),
    (chop + ["--remove", "1", "--steps=-1"], "--steps"),
    (chop + ["--remove", "1", "--betas", "1,0.9"], "--betas"),
    (chop + ["--remove", "1", "--query", "128"], "--query"),
    (chop + ["--remove", "1", "--distill-hidden", "nan"], "--distill-hidden"),
    (chop + ["--remove", "1", "--distill-logits=-1"], "--distill-logits"),
    (["chop", "m", "--remove", "1", "--output", "o"], "--text"),
    (["generate", "m"], "--prompt"),
    (["generate", "--prompt", "p"], "model"),
    (generate + ["--prompt-tokens", "f"], "not both"),
    (generate + ["--tokens", "0"], "--tokens"),
    (generate + ["--tokens=-1"], "--tokens"),
    (generate + ["--temperature=-1"], "--temperature"),
    (generate + ["--temperature", "nan"], "--temperature"),
    (generate + ["--temperature", "inf"], "--temperature"),
    (generate + ["--top-k", "0"], "--top-k"),
    (generate + ["--top-p", "0"], "--top-p"),
    (generate + ["--top-p", "1.5"], "--top-p"),
    (generate + ["--seed", "1"], "--seed"),
    (generate + ["--seed", "1", "--temperature", "0"], "--seed"),
    (generate + ["--speed"], "--speed"),
    (generate + ["--repeats", "3"], "--speed"),
    (["generate", "m", "--speed", "--repeats", "0"], "--repeats"),
    (["generate", "m", "--speed", "--prompt-length", "0"], "--prompt-length"),
    (["generate", "m", "--speed", "--tokens", "1"], "--tokens"),
    (["generate", "m", "--speed", "--top-k", "1"], "--speed"),
  ]

  @Test("a wrong command line is refused with the option that is wrong", arguments: wrong)
  func refused(arguments: [String], word: String) throws {
    try expectUsageError(arguments, saying: word)
  }
}
