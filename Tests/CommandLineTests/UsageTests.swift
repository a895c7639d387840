import TestKit
import Testing

@Suite("Usage")
struct UsageTests {
  static let options = [
    "inspect": ["--samples", "--length", "--json", "--threads", "--quiet"],
    "calibrate": [
      "--text", "--tokens", "--samples", "--length", "--seed", "--labels", "--output",
      "--overwrite", "--threads", "--quiet",
    ],
    "prune": [
      "--statistics", "--text", "--tokens", "--samples", "--length", "--seed", "--labels",
      "--structure", "--target", "--method", "--allocation", "--shots", "--steps",
      "--damping-activations", "--damping-gradients", "--repair-steps", "--exchanges", "--output",
      "--overwrite",
      "--json", "--threads", "--quiet",
    ],
    "evaluate": [
      "--text", "--tokens", "--length", "--windows", "--logits", "--json", "--threads", "--quiet",
    ],
    "report": ["--html", "--json"],
    "demo": ["--output", "--overwrite", "--threads", "--quiet"],
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

  static let layerwise = [
    "prune", "m", "--structure", "element", "--target", "0.5", "--method", "wanda", "--output", "o",
  ]

  static let wrong: [([String], String)] = [
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
    (["prune", "m", "--statistics", "s", "--target", "0.5", "--output", ""], "--output"),
    (["evaluate", "m"], "--text"),
    (["evaluate", "m", "--text", "t", "--windows", "0"], "--windows"),
    (["evaluate", "m", "--text", "t", "--length", "1"], "--length"),
    (["inspect", "m", "--samples", "0"], "--samples"),
    (["report"], "checkpoint"),
  ]

  @Test("a wrong command line is refused with the option that is wrong", arguments: wrong)
  func refused(arguments: [String], word: String) throws {
    try expectUsageError(arguments, saying: word)
  }
}
