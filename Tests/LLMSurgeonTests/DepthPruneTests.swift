import DemonstrationModel
import Depth
import ExactJSON
import Export
import Foundation
import Safetensors
import Tensors
import TestKit
import Testing

@testable import LLMSurgeon
@testable import Transformer

@Suite("Removal of blocks and parts")
struct DepthPruneTests {
  private static let windows = WindowChoice(samples: 2, length: 24)
  private static let text = TokenInput.text([DemonstrationModel.calibrationText])

  private static func options(
    _ kinds: [DepthKind],
    _ amount: DepthAmount,
    _ criterion: DepthCriterion = .position(.middle),
    to output: URL,
    model: String = DemonstrationModel.directory.path
  ) -> DepthPruneOptions {
    DepthPruneOptions(
      model: model,
      structure: DepthStructure(kinds),
      amount: amount,
      criterion: criterion,
      input: text,
      windows: windows,
      output: output
    )
  }

  /// The loss of a written model.
  private static func loss(_ url: URL) throws -> Double {
    let opened = try OpenedModel(url.path)
    let windows = try opened.calibrationWindows(text, windows)
    return try opened.model.meanLoss(windows, progress: SilentProgress())
  }

  @Test("kept blocks keep their weights under new numbers, and nothing else changes")
  func bytes() throws {
    let scratch = try ScratchDirectory()
    let report = try pruneDepth(Self.options([.blocks], .blocks([1, 4]), to: scratch.url("out")))
    #expect(report.kept == [0, 2, 3, 5])
    let before = try SafetensorsFile(
      path: DemonstrationModel.directory.appending(path: "model.safetensors").path
    )
    let after = try SafetensorsFile(path: scratch.path("out/model.safetensors"))
    var seen = 0
    for name in after.names {
      var parts = name.description.split(separator: ".").map(String.init)
      if parts[1] == "layers" { parts[2] = "\(report.kept[try #require(Int(parts[2]))])" }
      #expect(try after.floats(name) == before.floats(TensorName(parts.joined(separator: "."))))
      seen += 1
    }
    #expect(seen == before.names.count - 2 * 9)
    let configuration = try json(scratch.url("out/config.json"))
    #expect(configuration["num_hidden_layers"]?.integer == 4)
    #expect(report.sizes.keyValueBytesPerToken == .init(before: 3840, after: 2560))
  }

  @Test(
    "the written model computes what the masked one does",
    arguments: [[DepthKind.blocks], [.attention], [.feedForward], [.attention, .feedForward]],
    [Profile.masked, .uniform, .perLayer, .packed]
  )
  func written(kinds: [DepthKind], profile: Profile) throws {
    let scratch = try ScratchDirectory()
    var options = Self.options(kinds, .blocks([2, 3]), to: scratch.url("out"))
    options.profile = profile
    let report = try pruneDepth(options)
    let opened = try OpenedModel(DemonstrationModel.directory.path)
    let evaluator = try DepthEvaluator(
      opened.model,
      try opened.calibrationWindows(Self.text, Self.windows)
    )
    let mask = DepthMask(blocks: 6, without: report.removed)
    let expected = try evaluator.loss(under: mask)
    // Zeros are left out of sums, which is another order of rounding.
    #expect(abs(try Self.loss(scratch.url("out")) - expected) <= 1e-5 * expected)
    #expect(abs(try #require(report.losses).after - expected) <= 1e-5 * expected)
    let blocks = try OpenedModel(scratch.path("out")).model.decoder.blocks
    #expect(blocks == (kinds == [.attention] || kinds == [.feedForward] ? 6 : 4))
    #expect(report.sizes.parameters.after <= report.sizes.parameters.before)
  }

  @Test("parts are left out of the files where the family has a shape for that")
  func profiles() throws {
    let scratch = try ScratchDirectory()
    for (name, kind, profile) in [
      ("llama", DepthKind.attention, Profile.perLayer), ("llama", .feedForward, .perLayer),
      ("opt", .attention, .masked), ("opt", .feedForward, .perLayer),
    ] {
      let fixture = try Fixture(name)
      var options = Self.options(
        [kind],
        .blocks([1]),
        to: scratch.url("\(name)-\(kind)"),
        model: fixture.url.path
      )
      options.input = fixture.input
      options.windows = WindowChoice()
      let report = try pruneDepth(options)
      #expect(report.profile == profile, "\(name) \(kind)")
      let isSmaller = report.sizes.bytes.after < report.sizes.bytes.before
      #expect(isSmaller == (profile == .perLayer))
      let cached = report.sizes.keyValueBytesPerToken
      #expect((cached.after < cached.before) == (name == "llama" && kind == .attention))
    }
  }

  @Test("lists with an entry for each layer lose those of the blocks that go")
  func lists() throws {
    let scratch = try ScratchDirectory()
    try FileManager.default.copyItem(
      at: DemonstrationModel.directory,
      to: scratch.url("model")
    )
    var object = try #require(try json(scratch.url("model/config.json")).object)
    object["layer_types"] = .array([JSONValue](repeating: "full_attention", count: 6))
    object["layer_intermediate_size"] = .array([432, 432, 432, 432, 432, 432])
    object["eos_token_id"] = [2, 3, 4, 5, 6, 7]
    try scratch.write("model/config.json", JSONWriter.write(.object(object), indent: 2))
    _ = try pruneDepth(
      Self.options([.blocks], .count(2), to: scratch.url("out"), model: scratch.path("model"))
    )
    let written = try json(scratch.url("out/config.json"))
    #expect(written["layer_types"]?.array?.count == 4)
    #expect(written["layer_intermediate_size"]?.array?.count == 4)
    #expect(written["eos_token_id"]?.array?.count == 6)
    #expect(try Self.loss(scratch.url("out")).isFinite)
  }

  @Test("both parts of a block are the block")
  func parts() throws {
    let scratch = try ScratchDirectory()
    let both = Self.options([.attention, .feedForward], .blocks([2]), to: scratch.url("parts"))
    _ = try pruneDepth(both)
    _ = try pruneDepth(Self.options([.blocks], .blocks([2]), to: scratch.url("block")))
    #expect(try differences(scratch.url("parts"), scratch.url("block")) == ["surgeon-depth.json"])
  }

  @Test("one at a time, each removal is the best that is left")
  func iterative() throws {
    let scratch = try ScratchDirectory()
    var options = Self.options([.blocks], .count(2), .score(.loss), to: scratch.url("out"))
    options.isIterative = true
    let removed = try pruneDepth(options).removed.map(\.block)
    let opened = try OpenedModel(DemonstrationModel.directory.path)
    let evaluator = try DepthEvaluator(
      opened.model,
      try opened.calibrationWindows(Self.text, Self.windows)
    )
    var mask = DepthMask(keepingAll: 6)
    for block in removed {
      let losses = try (0..<6).map { other in
        mask[other].isEmpty
          ? .infinity : try evaluator.loss(under: mask.removing(.all, ofBlock: other))
      }
      #expect(losses[block] == losses.min())
      mask.remove(.all, ofBlock: block)
    }
  }

  @Test("a share removes as many blocks as make it up")
  func shares() throws {
    let scratch = try ScratchDirectory()
    for (share, count) in [(0.01, 1), (0.5, 3), (0.51, 4)] {
      var options = Self.options(
        [.blocks],
        .share(share),
        .position(.input),
        to: scratch.url("out")
      )
      options.overwrite = true
      #expect(try pruneDepth(options).removed.map(\.block) == Array(1..<count + 1))
    }
  }

  @Test("the angle removes the consecutive blocks that turn the state least")
  func angular() throws {
    let scratch = try ScratchDirectory()
    var scoring = DepthScoreOptions(
      model: DemonstrationModel.directory.path,
      input: Self.text,
      windows: Self.windows,
      structure: DepthStructure([.blocks]),
      metrics: [.angular]
    )
    scoring.span = 2
    let values = try depth(scoring).columns[0].values
    var options = Self.options([.blocks], .count(2), .score(.angular), to: scratch.url("out"))
    let start = try #require(values.indices.min { values[$0] < values[$1] })
    #expect(try pruneDepth(options).removed.map(\.block) == [start, start + 1])
    options.keepFirst = start + 1
    options.output = scratch.url("other")
    #expect(try pruneDepth(options).removed.allSatisfy { $0.block > start })
  }

  @Test("what cannot be is refused before anything is written")
  func refusals() throws {
    let scratch = try ScratchDirectory()
    func refuse(_ change: (inout DepthPruneOptions) -> Void) {
      var options = Self.options([.blocks], .count(2), to: scratch.url("out"))
      change(&options)
      #expect(throws: (any Error).self) { try pruneDepth(options) }
    }
    refuse { $0.amount = .count(5) }
    refuse { $0.amount = .count(0) }
    refuse { ($0.amount, $0.criterion) = (.count(6), .score(.cosine)) }
    refuse { $0.amount = .blocks([0, 1, 2, 3, 4, 5]) }
    refuse { $0.amount = .blocks([6]) }
    refuse { $0.amount = .blocks([]) }
    refuse { $0.amount = .share(1) }
    refuse { $0.isIterative = true }
    refuse { ($0.criterion, $0.isIterative) = (.score(.shapley), true) }
    refuse { ($0.criterion, $0.input) = (.score(.loss), nil) }
    refuse { ($0.keepFirst, $0.keepLast) = (3, 3) }
    refuse { $0.structure = DepthStructure([.attention, .feedForward]) }
    #expect(try scratch.names().isEmpty)
  }
}
