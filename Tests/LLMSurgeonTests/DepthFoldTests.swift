import DemonstrationModel
import Depth
import Foundation
import LinearAlgebra
import Tensors
import TestKit
import Testing

@testable import LLMSurgeon
@testable import Transformer

@Suite("Emulation of what is gone")
struct DepthFoldTests {
  private static let windows = WindowChoice(samples: 16, length: 64)

  private static func options(
    _ emulation: DepthEmulation,
    _ structure: DepthStructure = DepthStructure([.blocks]),
    blocks: [Int] = [2, 3],
    to output: URL
  ) -> DepthPruneOptions {
    var options = DepthPruneOptions(
      model: DemonstrationModel.directory.path,
      structure: structure,
      amount: .blocks(blocks),
      criterion: .score(.loss),
      input: .text([DemonstrationModel.calibrationText]),
      windows: windows,
      output: output
    )
    options.emulation = emulation
    return options
  }

  private static func loss(_ options: DepthPruneOptions) throws -> Double {
    try #require(try pruneDepth(options).losses).after
  }

  @Test(
    "a matrix in the layer before the gap lowers the loss, and more of it lowers it further",
    arguments: ["blocks", "attention", "feed-forward"]
  )
  func lower(name: String) throws {
    let scratch = try ScratchDirectory()
    let structure = try #require(DepthStructure(name))
    let losses = try [DepthEmulation.none, .rank(8), .full].enumerated().map { index, emulation in
      try Self.loss(Self.options(emulation, structure, to: scratch.url("\(index)")))
    }
    #expect(losses[0] > losses[1] && losses[1] > losses[2], "\(losses)")
  }

  @Test("what is missing behind the gap is emulated as by a fit to the states themselves")
  func states() throws {
    let scratch = try ScratchDirectory()
    let options = Self.options(.full, blocks: [3], to: scratch.url("out"))
    _ = try pruneDepth(options)
    let whole = try OpenedModel(DemonstrationModel.directory.path)
    let windows = try whole.calibrationWindows(try #require(options.input), Self.windows)
    let sequences = try TokenSequences(tokens: windows.tokens, length: windows.length)
    var dense = try MaskedStates(whole.model, sequences)
    let cut = try MaskedStates(try OpenedModel(scratch.path("out")).model, sequences)
    /// The weighted squared distance of a state behind the gap from the whole model's.
    func error(_ state: Matrix<Float>) -> Double {
      let target = dense.state(before: 4)
      return (0..<target.rows).filter { $0 % windows.length != 0 }.reduce(0) { sum, row in
        var (square, size) = (0.0, 0.0)
        for column in 0..<target.columns {
          let difference = Double(target[row, column]) - Double(state[row, column])
          square += difference * difference
          size += pow(Double(dense.state(before: 3)[row, column]), 2)
        }
        return sum + square / size
      }
    }
    let none = dense.state(before: 3)
    let added = try dense.stateWithin(2)
    var inputs = none
    var updates = none
    for index in none.storage.indices {
      inputs.storage[index] -= added.storage[index]
      updates.storage[index] = dense.state(before: 4).storage[index] - none.storage[index]
    }
    var sums = EmulatorSums(width: none.columns)
    let weights = (0..<none.rows).map { row -> Double in
      guard row % windows.length != 0 else { return 0 }
      return 1 / (0..<none.columns).reduce(0.0) { $0 + pow(Double(none[row, $1]), 2) }
    }
    sums.add(inputs: inputs, updates: updates, weights: weights)
    let emulator = try Emulator(.full, sums, ridge: 1e-3, hasBias: false)
    let expected = emulator.residual * weights.reduce(0, +)
    // The written weights are half precision: relative errors of 2⁻¹¹ in each.
    #expect(abs(error(cut.state(before: 3)) - expected) <= 1e-2 * expected)
    #expect(expected < 0.9 * error(none))
  }

  @Test("a family without biases refuses a constant, one with them holds it")
  func biases() throws {
    let scratch = try ScratchDirectory()
    #expect(throws: JobError.self) {
      try pruneDepth(Self.options(.bias, to: scratch.url("out")))
    }
    #expect(try scratch.names().isEmpty)
    let fixture = try Fixture("opt")
    var options = Self.options(.bias, blocks: [1], to: scratch.url("opt"))
    options.model = fixture.url.path
    options.input = fixture.input
    options.windows = WindowChoice()
    _ = try pruneDepth(options)
    let before = try fixtureWeights(fixture.url, "model.decoder.layers.0.fc2")
    let after = try fixtureWeights(scratch.url("opt"), "model.decoder.layers.0.fc2")
    #expect(before.weight == after.weight)
    #expect(before.bias != after.bias)
  }

  private func fixtureWeights(
    _ url: URL,
    _ name: String
  ) throws -> (weight: [Float], bias: [Float]) {
    let tensors = try OpenedModel(url.path).model.source
    return (
      try tensors.floats(TensorName("\(name).weight")),
      try tensors.floats(TensorName("\(name).bias"))
    )
  }

  @Test("what is gone from the start is left alone, and said")
  func start() throws {
    let scratch = try ScratchDirectory()
    let none = try Self.loss(Self.options(.none, blocks: [0], to: scratch.url("none")))
    let report = try pruneDepth(Self.options(.full, blocks: [0], to: scratch.url("full")))
    #expect(try #require(report.losses).after == none)
    #expect(report.notes.contains { $0.contains("nothing before it") })
  }

  @Test("blocks that go are merged into the one before them, norms too")
  func merged() throws {
    let scratch = try ScratchDirectory()
    var options = Self.options(.merge, blocks: [2, 3, 5], to: scratch.url("out"))
    options.input = nil
    _ = try pruneDepth(options)
    let before = try OpenedModel(DemonstrationModel.directory.path).model.source
    let after = try OpenedModel(scratch.path("out")).model.source
    for suffix in ["mlp.down_proj.weight", "input_layernorm.weight"] {
      func old(_ block: Int) throws -> [Float] {
        try before.floats(TensorName("model.layers.\(block).\(suffix)"))
      }
      func new(_ block: Int) throws -> [Float] {
        try after.floats(TensorName("model.layers.\(block).\(suffix)"))
      }
      #expect(try new(0) == old(0))
      #expect(try new(2) == old(5))
      let expected = try mergedWeights(old(1), following: [old(2), old(3)])
      // Half precision: a relative error of 2⁻¹¹, and of what is below its least normal number.
      #expect(try zip(new(1), expected).allSatisfy { abs($0 - $1) <= abs($1) / 2048 + 1e-7 })
    }
    options.structure = DepthStructure([.attention])
    options.output = scratch.url("other")
    #expect(throws: JobError.self) { try pruneDepth(options) }
  }

  @Test("emulations are read as they are written")
  func names() {
    for text in ["none", "bias", "diagonal", "full", "rank-8", "merge"] {
      #expect(DepthEmulation(text)?.description == text)
    }
    for text in ["", "rank-", "rank-0", "rank-x", "rank--1", "fold"] {
      #expect(DepthEmulation(text) == nil, "\(text)")
    }
  }
}
