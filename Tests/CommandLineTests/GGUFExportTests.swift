import Foundation
import TestKit
import Testing

@Suite("Exports to GGUF")
struct GGUFExportTests {
  private static func export(_ model: String, to output: String, _ more: String...) -> [String] {
    ["export", model, "--format", "gguf", "--output", output] + more
  }

  @Test("a model becomes one file; the same command gives the same bytes")
  func writes() throws {
    let scratch = try ScratchDirectory()
    for name in ["one.gguf", "two.gguf"] {
      let run = try Surgeon.succeed(Self.export(Embedded.model, to: scratch.path(name)))
      #expect(run.standardOutput.contains(name))
      #expect(run.standardError.contains("architecture llama"))
    }
    #expect(try scratch.names() == ["one.gguf", "two.gguf"])
    let bytes = try scratch.read("one.gguf")
    #expect(bytes.starts(with: Array("GGUF".utf8)))
    #expect(try scratch.read("two.gguf") == bytes)
    for precision in ["f16", "f32"] {
      let output = scratch.path(precision)
      try Surgeon.succeed(Self.export(Embedded.model, to: output, "--precision", precision))
    }
    #expect(try scratch.read("f16").count < scratch.read("f32").count * 6 / 10)
  }

  @Test("a file is replaced only on demand, and only by its own kind")
  func overwrite() throws {
    let scratch = try ScratchDirectory()
    let command = Self.export(Embedded.model, to: scratch.path("x.gguf"))
    try scratch.write("x.gguf", "precious")
    try expectFailure(command, saying: "--overwrite")
    try expectFailure(command + ["--overwrite"], saying: "not replaced")
    #expect(try scratch.read("x.gguf") == Array("precious".utf8))
    try scratch.write("x.gguf", "GGUF, an older one")
    try Surgeon.succeed(command + ["--overwrite"])
    #expect(try scratch.read("x.gguf").count > 1000)
    try expectFailure(Self.export(Embedded.model, to: scratch.path), saying: "--overwrite")
    try expectFailure(Self.export(Embedded.model, to: scratch.path, "--overwrite"))
  }

  @Test("a model without tokenizer needs a word of consent")
  func noTokenizer() throws {
    let scratch = try ScratchDirectory()
    let model = try Embedded.copy(to: scratch)
    try FileManager.default.removeItem(atPath: model + "/tokenizer.json")
    let command = Self.export(model, to: scratch.path("x.gguf"))
    try expectFailure(command, saying: "--no-tokenizer")
    try Surgeon.succeed(command + ["--no-tokenizer"])
  }

  @Test("settings of the other format are refused")
  func usage() throws {
    let command = Self.export(Embedded.model, to: "x.gguf")
    try expectUsageError(command + ["--profile", "packed"], saying: "--profile")
    try expectUsageError(command + ["--precision", "q8"], saying: "--precision")
    let other = ["export", Embedded.model, "--output", "x", "--format", "hf"]
    try expectUsageError(other + ["--no-tokenizer"], saying: "--no-tokenizer")
    try expectUsageError(other + ["--precision", "f16"], saying: "--precision")
  }
}
