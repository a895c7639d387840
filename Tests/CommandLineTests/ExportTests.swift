import ExactJSON
import Foundation
import TestKit
import Testing

@Suite("Exports")
struct ExportTests {
  private static func prune(to output: String, _ more: [String]) -> [String] {
    ["prune", Embedded.model, "--method", "magnitude", "--target", "0.5", "--output", output] + more
  }

  /// The mean loss of a checkpoint over a few windows.
  private static func loss(of checkpoint: String) throws -> Double {
    let output = try Surgeon.succeed([
      "evaluate", checkpoint, "--text", Embedded.text, "--length", "16", "--windows", "2", "--json",
    ])
    let result = try JSONParser.parse(Array(output.standardOutput.utf8))
    return try #require(result["loss"]?.double)
  }

  @Test("every profile of a pruning computes the same", arguments: ["rows-columns", "2:4"])
  func profiles(structure: String) throws {
    let scratch = try ScratchDirectory()
    try Surgeon.succeed(Self.prune(to: scratch.path("standard"), ["--structure", structure]))
    let expected = try Self.loss(of: scratch.path("standard"))
    for profile in ["uniform", "per-layer", "masked", "packed"] {
      let output = scratch.path(profile)
      try Surgeon.succeed(
        Self.prune(to: output, ["--structure", structure, "--profile", profile])
      )
      #expect(abs(try Self.loss(of: output) - expected) <= 1e-6 * expected, "\(profile)")
      let report = try scratch.read("\(profile)/surgeon-report.json")
      #expect(try report == scratch.read("standard/surgeon-report.json"))
    }
    for file in try scratch.names(in: "standard") {
      #expect(try scratch.read("standard/\(file)") == scratch.read("masked/\(file)"), "\(file)")
    }
  }

  @Test("an export of what a pruning wrote is what the pruning would have written")
  func exported() throws {
    let scratch = try ScratchDirectory()
    let structure = ["--structure", "2:4"]
    for profile in ["masked", "packed"] {
      try Surgeon.succeed(
        Self.prune(to: scratch.path(profile), structure + ["--profile", profile])
      )
    }
    let export = ["export", scratch.path("packed"), "--format", "hf", "--profile", "masked"]
    let output = try Surgeon.succeed(export + ["--output", scratch.path("expanded")])
    #expect(output.standardOutput.contains("expanded"))
    #expect(try scratch.names(in: "expanded") == scratch.names(in: "masked"))
    for file in try scratch.names(in: "masked") {
      #expect(try scratch.read("expanded/\(file)") == scratch.read("masked/\(file)"), "\(file)")
    }
    let sizes = try ["masked", "packed"].map {
      try scratch.read("\($0)/model.safetensors").count
    }
    #expect(sizes[1] < sizes[0])
  }

  @Test("an existing output is replaced only on demand, and only by its own kind")
  func existing() throws {
    let scratch = try ScratchDirectory()
    let command = ["export", Embedded.model, "--profile", "packed", "--output"]
    try scratch.write("out/precious", "text")
    try expectFailure(command + [scratch.path("out")], saying: "--overwrite")
    try expectFailure(command + [scratch.path("out"), "--overwrite"], saying: "not replaced")
    try Surgeon.succeed(command + [scratch.path("new")])
    try expectFailure(command + [scratch.path("new")], saying: "--overwrite")
    try Surgeon.succeed(command + [scratch.path("new"), "--overwrite", "--legacy-config"])
    let configuration = try JSONParser.parse(try scratch.read("new/config.json"))
    #expect(configuration["quantization_config"]?["quant_method"] == "compressed-tensors")
    #expect(try scratch.names() == ["new", "out"])
  }

  @Test("damaged packed weights are refused by name")
  func damaged() throws {
    let scratch = try ScratchDirectory()
    let path = scratch.path("packed")
    try Surgeon.succeed(Self.prune(to: path, ["--structure", "2:4", "--profile", "packed"]))
    var bytes = try scratch.read("packed/model.safetensors")
    // Masks are the smallest elements, so they stand last.
    bytes[bytes.count - 1] ^= 0xFF
    bytes[bytes.count - 2] = 0xFF
    try scratch.write("packed/model.safetensors", bytes)
    let output = ["--profile", "masked", "--output", scratch.path("out")]
    try expectFailure(["export", path] + output, saying: "bitmask", "damaged")
    #expect(try scratch.names() == ["packed"])
  }
}
