import DemonstrationModel
import ExactJSON
import Foundation
import Pruning
import Safetensors
import Tensors
import TestKit
import Testing

@testable import LLMSurgeon

@Suite("What a pruning starts from")
struct PruneInputTests {
  private static func prune(_ model: URL, _ data: PruneData, to output: URL, shots: Int = 1) throws
  {
    _ = try LLMSurgeon.prune(
      PruneOptions(
        model: model.path,
        data: data,
        removal: RemovalChoice(structure: .element, target: 0.5),
        shots: shots,
        output: output
      )
    )
  }

  @Test(
    "statistics of another model are refused, and nothing is left",
    arguments: ["opt", "llama"]
  )
  func foreign(name: String) throws {
    let scratch = try ScratchDirectory()
    try Fixture("llama3").calibrate(into: scratch.url("statistics"))
    #expect {
      try Self.prune(
        try Fixture(name).url,
        .statistics(scratch.url("statistics")),
        to: scratch.url("pruned")
      )
    } throws: { error in
      guard case JobError.foreignStatistics = error else { return false }
      return true
    }
    #expect(try scratch.names() == ["statistics"])
  }

  @Test("statistics of the same model with one other weight are refused")
  func otherWeight() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    try fixture.calibrate(into: scratch.url("statistics"))
    try FileManager.default.copyItem(at: fixture.url, to: scratch.url("model"))
    var bytes = try scratch.read("model/model.safetensors")
    bytes[bytes.count - 4] ^= 1
    try scratch.write("model/model.safetensors", bytes)
    #expect {
      try Self.prune(
        scratch.url("model"),
        .statistics(scratch.url("statistics")),
        to: scratch.url("pruned")
      )
    } throws: { error in
      guard case JobError.foreignStatistics = error else { return false }
      return true
    }
  }

  /// Ways to damage a manifest: what is replaced, and by what.
  static let damages = [
    ("\"block\": 1,", "\"block\": 9223372036854775807,"),
    ("\"block\": 1,", "\"block\": 0,"),
    ("\"outputs\": 32,", "\"outputs\": 9223372036854775807,"),
    ("\"inputs\": 32,", "\"inputs\": 9223372036854775807,"),
    ("\"sequences\": 2,", "\"sequences\": 3,"),
    ("\"length\": 16", "\"length\": 5"),
    ("\"length\": 16", "\"length\": 9223372036854775807"),
    ("\"version\": 1", "\"version\": 2"),
    ("\"labels\": \"empirical\"", "\"labels\": \"guessed\""),
    ("\"compute\": \"f32\"", "\"compute\": 32"),
    ("\"compute\": \"f32\"", "\"compute\": \"f16\""),
    ("\"bias\": true", "\"bias\": 1"),
    ("inputGroup\": \"model", "inputGroup\": \"no model"),
    ("\"fingerprint\"", "\"finger\""),
    ("{", ""),
  ]

  @Test("a damaged manifest is refused with a message", arguments: damages)
  func damaged(old: String, new: String) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    try fixture.calibrate(into: scratch.url("statistics"))
    let text = String(decoding: try scratch.read("statistics/manifest.json"), as: UTF8.self)
    let changed = text.replacingOccurrences(of: old, with: new)
    try #require(changed != text)
    try scratch.write("statistics/manifest.json", changed)
    #expect(throws: (any Error).self) {
      try Self.prune(
        fixture.url,
        .statistics(scratch.url("statistics")),
        to: scratch.url("pruned")
      )
    }
    #expect(try scratch.names() == ["statistics"])
  }

  @Test(
    "statistics whose tokens or factors are missing or cut are refused",
    arguments: [
      "tokens.safetensors", "block-00000.safetensors", "block-00001.safetensors",
    ],
    [0, 200]
  )
  func cut(name: String, length: Int) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    try fixture.calibrate(into: scratch.url("statistics"))
    let bytes = try scratch.read("statistics/\(name)")
    try scratch.write("statistics/\(name)", Array(bytes.prefix(length)))
    #expect(throws: (any Error).self) {
      try Self.prune(
        fixture.url,
        .statistics(scratch.url("statistics")),
        to: scratch.url("pruned")
      )
    }
    #expect(try scratch.names() == ["statistics"])
  }

  @Test("statistics with NaN in a factor are refused")
  func notFinite() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    try fixture.calibrate(into: scratch.url("statistics"))
    var bytes = try scratch.read("statistics/block-00001.safetensors")
    bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xC0, 0x7F])
    try scratch.write("statistics/block-00001.safetensors", bytes)
    #expect(throws: (any Error).self) {
      try Self.prune(
        fixture.url,
        .statistics(scratch.url("statistics")),
        to: scratch.url("pruned")
      )
    }
  }

  @Test("an output within the model is refused before any work")
  func withinModel() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    try FileManager.default.copyItem(at: fixture.url, to: scratch.url("model"))
    let before = try tree(scratch.url("model"))
    #expect(throws: (any Error).self) {
      try Self.prune(
        scratch.url("model"),
        .calibrate(fixture.input, WindowChoice(), .empirical),
        to: scratch.url("model/pruned")
      )
    }
    #expect(try tree(scratch.url("model")) == before)
  }

  @Test("a failed run does not stand in the way of one with other settings")
  func failedRun() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    let tokens = SafetensorsWriter.Tensor(
      "tokens",
      TensorDescription(elementType: .int64, shape: [1, 4]),
      bytes: { [UInt8](repeating: 1, count: 32) }
    )
    try SafetensorsWriter.write([tokens], to: scratch.path("tokens.safetensors"))
    let foreign = TokenInput.tokens(scratch.url("tokens.safetensors"))
    #expect(throws: (any Error).self) {
      try Self.prune(
        fixture.url,
        .calibrate(foreign, WindowChoice(samples: 1, length: 3), .empirical),
        to: scratch.url("pruned")
      )
    }
    #expect(try scratch.names() == ["tokens.safetensors"])
    try Self.prune(
      fixture.url,
      .calibrate(fixture.input, WindowChoice(), .empirical),
      to: scratch.url("pruned")
    )
    #expect(try scratch.names() == ["pruned", "tokens.safetensors"])
  }

  @Test("magnitude needs no data, and says nothing of a loss")
  func magnitude() throws {
    let scratch = try ScratchDirectory()
    let report = try LLMSurgeon.prune(
      PruneOptions(
        model: try Fixture("llama").url.path,
        data: .none,
        removal: RemovalChoice(structure: .element, target: 0.5, method: .magnitude),
        output: scratch.url("pruned")
      )
    )
    #expect(abs(report.shareRemoved - 0.5) < 0.001)
    let document = try json(scratch.url("pruned/surgeon-report.json"))
    #expect(document["loss"]?["pruned"] == nil)
    #expect(document["summary"]?["predictedRise"]?.double == 0)
    let text = try report.text(columns: 200, isTerminal: false)
    try report.writeHTML(to: scratch.url("page.html"))
    let page = String(decoding: try scratch.read("page.html"), as: UTF8.self)
    #expect(text.contains("removed") && page.lowercased().contains("weights removed"))
    for word in ["predicted", "repaired", "damping"] {
      #expect(!text.lowercased().contains(word) && !page.lowercased().contains(word))
    }
  }

  @Test("several shots reach the target and measure the loss before each")
  func shots() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama3")
    try Self.prune(
      fixture.url,
      .calibrate(fixture.input, WindowChoice(), .empirical),
      to: scratch.url("pruned"),
      shots: 3
    )
    let report = try json(scratch.url("pruned/surgeon-report.json"))
    let shots = try #require(report["shots"]?.array)
    #expect(shots.compactMap { $0["number"]?.integer } == [1, 2, 3])
    let achieved = shots.compactMap { $0["achieved"]?.double }
    for (share, target) in zip(achieved, [0.5 / 3, 1 / 3.0, 0.5]) {
      #expect(abs(share - target) < 0.001)
    }
    #expect(shots.compactMap { $0["lossBefore"]?.double }.count == 3)
    #expect(shots[0]["lossBefore"]?.double == report["loss"]?["dense"]?.double)
    #expect(try scratch.names() == ["pruned"])
  }
}
