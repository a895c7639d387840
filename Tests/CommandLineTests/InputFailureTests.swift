import Foundation
import Safetensors
import Tensors
import TestKit
import Testing

@Suite("Texts, tokens and statistics that cannot be used")
struct InputFailureTests {
  /// Calibrating, pruning and evaluating with these inputs fail and leave nothing.
  private func expectRefusal(
    _ input: [String],
    in scratch: ScratchDirectory,
    saying words: String,
    location: SourceLocation = #_sourceLocation
  ) throws {
    let before = try scratch.names()
    let output = ["--output", scratch.path("out")]
    for command in [
      ["calibrate", Embedded.model] + output, ["evaluate", Embedded.model],
      ["prune", Embedded.model, "--target", "0.5"] + output,
    ] {
      try expectFailure(command + input, saying: words, location: location)
      #expect(try scratch.names() == before, "\(command[0])", sourceLocation: location)
    }
  }

  @Test("a text that is missing, a folder, empty, or shorter than one window")
  func texts() throws {
    let scratch = try ScratchDirectory()
    let missing = scratch.path("none.txt")
    try expectRefusal(["--text", missing], in: scratch, saying: "none.txt")
    try expectRefusal(["--text", scratch.path], in: scratch, saying: scratch.path)
    try scratch.write("empty.txt", "")
    try expectRefusal(["--text", scratch.path("empty.txt")], in: scratch, saying: "empty")
    try scratch.write("short.txt", "A short text.")
    try expectRefusal(["--text", scratch.path("short.txt")], in: scratch, saying: "--length")
    let both = ["--text", Embedded.text, scratch.path("empty.txt")]
    try expectRefusal(both, in: scratch, saying: "empty.txt")
  }

  @Test("a text that is not UTF-8, with its name")
  func encoding() throws {
    let scratch = try ScratchDirectory()
    let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 5000) + [0xFF, 0xFE, 0x61]
    try scratch.write("latin.txt", bytes)
    try expectRefusal(["--text", scratch.path("latin.txt")], in: scratch, saying: "latin.txt")
  }

  @Test("more windows than there are")
  func samples() throws {
    let scratch = try ScratchDirectory()
    let text = ["--text", Embedded.text, "--length", "256"]
    let before = try scratch.names()
    for command in [
      ["calibrate", Embedded.model, "--output", scratch.path("out"), "--samples", "1000000"],
      ["evaluate", Embedded.model, "--windows", "1000000"],
    ] {
      try expectFailure(command + text, saying: "1000000")
    }
    #expect(try scratch.names() == before)
  }

  @Test("windows longer than the model takes, and longer than any text")
  func length() throws {
    let scratch = try ScratchDirectory()
    for length in ["100000", "9223372036854775807"] {
      let input = ["--text", Embedded.text, "--length", length]
      try expectRefusal(input, in: scratch, saying: "give more text or a smaller --length")
    }
  }

  private func write(_ ids: [Int], _ shape: [Int], _ scratch: ScratchDirectory) throws -> String {
    let bytes = ids.flatMap { id in (0..<8).map { UInt8(truncatingIfNeeded: id >> (8 * $0)) } }
    let description = TensorDescription(elementType: .int64, shape: shape)
    let tensor = SafetensorsWriter.Tensor("tokens", description, bytes: { bytes })
    try SafetensorsWriter.write([tensor], to: scratch.path("tokens.safetensors"))
    return scratch.path("tokens.safetensors")
  }

  @Test("token ids outside the vocabulary", arguments: [-1, 2048, .max, .min])
  func vocabulary(id: Int) throws {
    let scratch = try ScratchDirectory()
    let file = try write([1, 2, 3, 4, 5, id, 7, 8], [2, 4], scratch)
    let words = id < 0 ? "negative" : "vocabulary"
    try expectRefusal(["--tokens", file], in: scratch, saying: words)
  }

  @Test("token files of another shape or content")
  func tokenFiles() throws {
    let scratch = try ScratchDirectory()
    for shape in [[2, 2, 2], [8, 1], []] {
      let file = try write(shape.isEmpty ? [1] : [1, 2, 3, 4, 5, 6, 7, 8], shape, scratch)
      try expectRefusal(["--tokens", file], in: scratch, saying: "shape")
    }
    for shape in [[0, 4], [4, 0], [0]] {
      try expectRefusal(["--tokens", try write([], shape, scratch)], in: scratch, saying: "tokens")
    }
    let model = Embedded.model + "/model.safetensors"
    try expectRefusal(["--tokens", model], in: scratch, saying: "tokens")
    try expectRefusal(["--tokens", Embedded.text], in: scratch, saying: "sampled-calibration.txt")
    let file = try write([1, 2, 3, 4, 5, 6, 7, 8], [2, 4], scratch)
    try expectRefusal(["--tokens", file, "--length", "3"], in: scratch, saying: "--length")
  }

  @Test("statistics that are missing, of another model, or no statistics")
  func statistics() throws {
    let scratch = try ScratchDirectory()
    let model = try Embedded.copy(to: scratch)
    var bytes = try scratch.read("model/model.safetensors")
    bytes[bytes.count - 2] ^= 1
    try scratch.write("model/model.safetensors", bytes)
    try Embedded.calibrate(to: scratch.path("statistics"))
    let prune = [
      "prune", model, "--target", "0.5", "--output", scratch.path("out"), "--statistics",
    ]
    try expectFailure(prune + [scratch.path("statistics")], saying: "another model")
    try expectFailure(prune + [scratch.path("none")], saying: "none", "manifest.json")
    try expectFailure(prune + [model], saying: model, "manifest.json")
    #expect(try scratch.names() == ["model", "statistics"])
  }

  @Test("blocks that do not divide the inputs")
  func blocks() throws {
    let scratch = try ScratchDirectory()
    try Embedded.calibrate(to: scratch.path("statistics"))
    try expectFailure(
      [
        "prune", Embedded.model, "--statistics", scratch.path("statistics"), "--structure", "3:7",
        "--output", scratch.path("out"),
      ],
      saying: "160",
      "7"
    )
    #expect(try scratch.names() == ["statistics"])
  }

  @Test("a report where there is none")
  func report() throws {
    let scratch = try ScratchDirectory()
    try expectFailure(["report", Embedded.model], saying: "surgeon-report.json")
    try expectFailure(["report", scratch.path("none")], saying: "none")
    try scratch.write("checkpoint/surgeon-report.json", "{}")
    try expectFailure(["report", scratch.path("checkpoint")], saying: "formatVersion")
  }
}
