import ExactJSON
import Foundation
import Safetensors
import Tensors
import TestKit
import Testing

@Suite("Models that cannot be used")
struct ModelFailureTests {
  /// The commands that open a model, with everything but the model.
  private static func commands(_ model: String, _ scratch: ScratchDirectory) -> [[String]] {
    let text = ["--text", Embedded.text]
    let output = ["--output", scratch.path("out")]
    return [
      ["inspect", model],
      ["calibrate", model] + text + output + Embedded.windows,
      ["evaluate", model] + text + ["--windows", "1", "--length", "8"],
      ["prune", model, "--target", "0.5"] + text + output + Embedded.windows,
      ["prune", model, "--target", "0.5", "--method", "magnitude"] + output,
    ]
  }

  /// Every command fails with these words and leaves no output.
  private func expectRefusal(
    of model: String,
    in scratch: ScratchDirectory,
    saying words: String,
    skipping skipped: Int = 0,
    location: SourceLocation = #_sourceLocation
  ) throws {
    let before = try scratch.names()
    for command in Self.commands(model, scratch).dropFirst(skipped) {
      try expectFailure(command, saying: words, location: location)
      #expect(try scratch.names() == before, "\(command[0])", sourceLocation: location)
    }
  }

  @Test("a folder that is missing")
  func missing() throws {
    let scratch = try ScratchDirectory()
    try expectRefusal(of: scratch.path("none"), in: scratch, saying: scratch.path("none"))
  }

  @Test("a name that is in no cache")
  func notCached() throws {
    let scratch = try ScratchDirectory()
    try expectRefusal(of: "no-such-org/no-such-model", in: scratch, saying: "no-such-model")
  }

  @Test("an empty folder, and one without weights")
  func empty() throws {
    let scratch = try ScratchDirectory()
    try FileManager.default.createDirectory(
      atPath: scratch.path("model"),
      withIntermediateDirectories: true
    )
    try expectRefusal(of: scratch.path("model"), in: scratch, saying: "config.json")
    try scratch.write(
      "model/config.json",
      [UInt8](Data(contentsOf: URL(filePath: Embedded.model + "/config.json")))
    )
    try expectRefusal(of: scratch.path("model"), in: scratch, saying: "model.safetensors")
  }

  @Test("a file in place of a folder")
  func file() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("model", "text")
    try expectRefusal(of: scratch.path("model"), in: scratch, saying: scratch.path("model"))
  }

  @Test(
    "a configuration that is no JSON, or of an unknown kind",
    arguments: [
      "", "{", "[]", "{}", "{\"model_type\": \"unheard-of\"}", "{\"model_type\": 3}",
    ]
  )
  func configuration(text: String) throws {
    let scratch = try ScratchDirectory()
    let model = try Embedded.copy(to: scratch)
    try scratch.write("model/config.json", text)
    try expectRefusal(of: model, in: scratch, saying: "")
  }

  @Test("weights that are cut", arguments: [0, 4, 100, 2_000_000])
  func truncated(length: Int) throws {
    let scratch = try ScratchDirectory()
    let model = try Embedded.copy(to: scratch)
    let bytes = try scratch.read("model/model.safetensors")
    try scratch.write("model/model.safetensors", Array(bytes.prefix(length)))
    try expectRefusal(of: model, in: scratch, saying: "model.safetensors")
  }

  @Test(
    "a header that lies",
    arguments: [
      ("F16", "F32"), ("F16", "X16"), ("[0,", "[1,"),
      ("\"shape\":[2048,160]", "\"shape\":[4096,160]"),
      ("\"shape\":[2048,160]", "\"shape\":[2048,-16]"), ("{\"", "[\""),
      ("model.layers.0.", "model.layers.9."),
    ]
  )
  func lies(old: String, new: String) throws {
    let scratch = try ScratchDirectory()
    let model = try Embedded.copy(to: scratch)
    let bytes = try scratch.read("model/model.safetensors")
    let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = String(decoding: bytes[8..<8 + length], as: UTF8.self)
    let changed = header.replacingOccurrences(of: old, with: new)
    try #require(changed != header && changed.utf8.count == length)
    try scratch.write(
      "model/model.safetensors",
      bytes[..<8] + Array(changed.utf8) + bytes[(8 + length)...]
    )
    try expectRefusal(of: model, in: scratch, saying: "")
  }

  @Test(
    "NaN in a weight",
    arguments: [
      "model.layers.2.mlp.up_proj.weight", "model.embed_tokens.weight", "model.norm.weight",
      "model.layers.5.input_layernorm.weight",
    ]
  )
  func notANumber(name: String) throws {
    let scratch = try ScratchDirectory()
    let model = try Embedded.copy(to: scratch)
    let source = try SafetensorsFile(path: Embedded.model + "/model.safetensors")
    let tensors = try source.names.map { tensor in
      let description = try #require(source.description(of: tensor))
      var bytes = try source.bytes(tensor)
      if tensor == TensorName(name) { bytes.replaceSubrange(0..<2, with: [0x00, 0x7E]) }
      let content = bytes
      return SafetensorsWriter.Tensor(tensor, description, bytes: { content })
    }
    try SafetensorsWriter.write(tensors, to: model + "/model.safetensors")
    // `inspect` reads no weights; magnitude only those that it removes from.
    let commands = Self.commands(model, scratch)
    let isPrunable = name.contains("_proj")
    for command in commands.dropFirst().dropLast(isPrunable ? 0 : 1) {
      // The solver speaks of layers, not of tensors.
      try expectFailure(command, saying: String(name.dropLast(".weight".count)))
      #expect(try scratch.names() == ["model"], "\(command)")
    }
  }
}
