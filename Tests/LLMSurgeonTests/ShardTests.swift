import ExactJSON
import Foundation
import Pruning
import TestKit
import Testing

@testable import LLMSurgeon

/// A small model, windows, and calibrations of parts of them.
struct Sharding {
  let fixture: Fixture
  let scratch: ScratchDirectory
  private let files: ScratchDirectory
  var windows = WindowChoice(seed: 5)
  var labels = CalibrationLabels.empirical

  init(_ name: String, sequences: Int = 7, length: Int = 12) throws {
    fixture = try Fixture(name)
    scratch = try ScratchDirectory()
    var generator = SplitMix64(seed: 3)
    let tokens = TokenWindows(
      tokens: (0..<sequences * length).map { _ in Int.random(in: 0..<48, using: &generator) },
      length: length,
      source: "tokens.safetensors"
    )
    files = try ScratchDirectory()
    try tokens.write(to: files.url("tokens.safetensors"))
  }

  /// The options of a calibration of all windows, or of a part.
  func options(_ shard: String?, to name: String, model: URL? = nil) throws -> CalibrationOptions {
    CalibrationOptions(
      model: (model ?? fixture.url).path,
      input: .tokens(files.url("tokens.safetensors")),
      windows: windows,
      labels: labels,
      shard: try shard.map { try #require(CalibrationShard($0)) },
      output: scratch.url(name)
    )
  }

  /// Calibrates all windows, or a part.
  @discardableResult
  func calibrate(_ shard: String? = nil, to name: String) throws -> CalibrationSummary {
    try LLMSurgeon.calibrate(try options(shard, to: name))
  }

  /// Calibrates all shards.
  ///
  /// - Returns: The names of their directories.
  func shards(_ count: Int) throws -> [String] {
    try (1...count).map { index in
      let name = "shard-\(index)-of-\(count)"
      try calibrate("\(index)/\(count)", to: name)
      return name
    }
  }

  @discardableResult
  func merge(_ names: [String], to name: String) throws -> CalibrationSummary {
    try LLMSurgeon.merge(
      MergeOptions(shards: names.map { scratch.url($0) }, output: scratch.url(name))
    )
  }
}

@Suite("Shards of a calibration")
struct ShardTests {
  /// Sums of the same numbers in another order and grouping, single precision.
  ///
  /// How a product is cut into
  /// tiles depends on the number of windows that go through a block together, and the kernels add up
  /// the terms of tiles this small in different orders: some ten roundings of 6e-8 in activations, a
  /// few times as many in gradients that went through all blocks.
  private static let rounding = 1e-5
  /// The same for a loss, a mean over many positions.
  private static let lossRounding = 1e-7

  @Test("every window is in one shard, in order, and shards differ by one window at most")
  func ranges() throws {
    for sequences in 1...20 {
      for count in 1...sequences {
        let shards = (1...count).compactMap { CalibrationShard(index: $0, of: count) }
        let ranges = shards.map { $0.range(of: sequences) }
        #expect(ranges.flatMap(Array.init) == Array(0..<sequences))
        let sizes = ranges.map(\.count)
        #expect(try #require(sizes.max()) - (try #require(sizes.min())) <= 1)
      }
    }
  }

  @Test(
    "text names a shard or nothing",
    arguments: ["1/1", "3/4", "0/2", "3/2", "1", "a/2", "1/2/3"]
  )
  func text(text: String) {
    #expect((CalibrationShard(text) != nil) == ["1/1", "3/4"].contains(text))
  }

  @Test(
    "merged shards are the calibration of all windows, up to rounding, whatever their order",
    arguments: ["opt", "llama3"],
    [CalibrationLabels.empirical, .sampled]
  )
  func merged(name: String, labels: CalibrationLabels) throws {
    var sharding = try Sharding(name)
    sharding.labels = labels
    let scratch = sharding.scratch
    let whole = try sharding.calibrate(to: "whole")
    for count in 1...3 {
      let merged = try sharding.merge(try sharding.shards(count).reversed(), to: "merged-\(count)")
      #expect(abs(merged.loss - whole.loss) <= Self.lossRounding * whole.loss)
      #expect(merged.sequences == whole.sequences)
      let (left, right) = (
        try StatisticsReader(scratch.url("merged-\(count)")),
        try StatisticsReader(scratch.url("whole"))
      )
      for layer in right.layers {
        let (own, expected) = (try left.factors(of: layer), try right.factors(of: layer))
        #expect(relativeError(own.a, expected.a) <= Self.rounding)
        #expect(relativeError(own.g, expected.g) <= Self.rounding)
      }
      let names = try scratch.names(in: "whole")
      #expect(try scratch.names(in: "merged-\(count)") == names)
      let tokens = try scratch.read("whole/tokens.safetensors")
      #expect(try scratch.read("merged-\(count)/tokens.safetensors") == tokens)
    }
    // Nothing is rounded where nothing is added.
    #expect(try differences(scratch.url("whole"), scratch.url("merged-1")) == [])
    #expect(try scratch.names().allSatisfy { !$0.hasPrefix(".") })
  }

  @Test("merged shards lead to the same plan")
  func plan() throws {
    let sharding = try Sharding("opt")
    let scratch = sharding.scratch
    try sharding.calibrate(to: "whole")
    try sharding.merge(try sharding.shards(2), to: "merged")
    let models = try ["whole", "merged"].map { name in
      try PrunedModel(
        sharding.fixture.url,
        statistics: scratch.url(name),
        Removal(.rowsColumns, 0.3, .surgeon),
        to: scratch.url("\(name)-pruned")
      )
    }
    let weights = try models.map { try $0.weights() }
    for (left, right) in zip(weights[0], weights[1]) {
      #expect(left.values.map { $0 == 0 } == right.values.map { $0 == 0 })
      #expect(relativeError(left.values, right.values) <= 1e-4)
    }
  }

  @Test("more shards than windows are refused")
  func tooMany() throws {
    let sharding = try Sharding("opt")
    let sequences = try sharding.calibrate(to: "whole").sequences
    #expect(throws: JobError.self) { try sharding.calibrate("1/\(sequences + 1)", to: "part") }
    #expect(try sharding.scratch.names() == ["whole"])
  }

  @Test("a shard alone is not pruned from")
  func lone() throws {
    let sharding = try Sharding("opt")
    try sharding.calibrate("2/2", to: "part")
    let error = #expect(throws: JobError.self) {
      try PrunedModel(
        sharding.fixture.url,
        statistics: sharding.scratch.url("part"),
        Removal(.element, 0.3, .surgeon),
        to: sharding.scratch.url("pruned")
      )
    }
    #expect(error?.description.contains("shard 2 of 2") == true)
  }
}
