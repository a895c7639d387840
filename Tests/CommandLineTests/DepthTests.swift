import ExactJSON
import TestKit
import Testing

@Suite("Depth")
struct DepthTests {
  private static let data = ["--text", Embedded.text] + Embedded.windows

  @Test("scores go to standard output, for people and for programs")
  func scores() throws {
    let command = ["depth", Embedded.model, "--metric", "cosine,loss"] + Self.data
    let text = try Surgeon.succeed(command).standardOutput
    #expect(text.contains("cosine (1 − cos), first to go first:"))
    let document = try JSONParser.parse(
      Array(try Surgeon.succeed(command + ["--json"]).standardOutput.utf8)
    )
    #expect(document["scores"]?.array?.count == 2)
  }

  @Test("a model of fewer blocks is evaluated, exported and pruned like any other")
  func removal() throws {
    let scratch = try ScratchDirectory()
    let output = scratch.path("out")
    let text = try Surgeon.succeed(
      [
        "prune", Embedded.model, "--structure", "blocks", "--remove-list", "1,3-4", "--output",
        output,
      ]
    ).standardOutput
    #expect(text.contains("0 2 5") && text.contains("1 3 4") && text.contains("50.0 % saved"))
    try Surgeon.succeed(
      ["evaluate", output] + ["--text", Embedded.text, "--length", "8", "--windows", "1"]
    )
    try Surgeon.succeed(
      [
        "export", output, "--format", "gguf", "--no-tokenizer", "--output",
        scratch.path("out.gguf"),
      ]
    )
    try Surgeon.succeed([
      "export", output, "--profile", "packed", "--output", scratch.path("packed"),
    ])
    #expect(try scratch.names(in: "packed").contains("surgeon-depth.json"))
    let inspection = try Surgeon.succeed(["inspect", scratch.path("packed"), "--json"])
    let document = try JSONParser.parse(Array(inspection.standardOutput.utf8))
    #expect(document["blocks"]?.integer == 3)
  }

  @Test("what makes no sense is refused with the reason")
  func usage() throws {
    let prune = ["prune", "m", "--output", "o"]
    let blocks = prune + ["--structure", "blocks"]
    try expectUsageError(blocks, saying: "--target", "--remove-count", "--remove-list")
    try expectUsageError(
      blocks + ["--target", "0.3", "--remove-count", "2"],
      saying: "give one of"
    )
    try expectUsageError(blocks + ["--remove-count", "0"], saying: "at least 1")
    try expectUsageError(blocks + ["--remove-list", "3-1"], saying: "remove-list")
    try expectUsageError(blocks + ["--remove-list", "1", "--by", "loss"], saying: "leave out --by")
    try expectUsageError(blocks + ["--remove-count", "1", "--method", "kobd"], saying: "--by")
    try expectUsageError(blocks + ["--target-bytes", "1MB"], saying: "give --target")
    try expectUsageError(prune + ["--target", "0.5", "--by", "loss"], saying: "--structure blocks")
    try expectUsageError(["depth", "m"], saying: "--text FILE")
    try expectUsageError(["depth", "m", "--tokens", "t", "--metric", "mass"], saying: "metric")
    try expectFailure(
      ["prune", Embedded.model, "--structure", "blocks", "--remove-count", "5", "--by", "both"]
        + ["--output", "o"],
      saying: "the first and the last block stay"
    )
    try expectFailure(
      ["prune", Embedded.model, "--structure", "blocks", "--remove-count", "2", "--output", "o"],
      saying: "give tokens"
    )
  }
}
