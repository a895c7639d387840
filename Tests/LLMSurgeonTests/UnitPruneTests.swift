import Export
import Foundation
import LLMSurgeon
import Pruning
import Tensors
import TestKit
import Testing

@Suite("Pruning of neurons and heads")
struct UnitPruneTests {
  /// One way to remove units.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let headUnit: HeadUnit
    let allocation: Allocation
    var testDescription: String { "\(name) \(headUnit.rawValue) \(allocation.rawValue)" }
  }

  static let cases = ["opt", "llama", "llama3"].flatMap { name in
    HeadUnit.allCases.flatMap { unit in
      [Allocation.global, .uniform].map { Case(name: name, headUnit: unit, allocation: $0) }
    }
  }

  /// The size of a head in all fixtures.
  private let headSize = 8

  @Test("a checkpoint lacks whole neurons and whole heads and nothing else", arguments: cases)
  func coupled(entry: Case) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture(entry.name)
    try fixture.calibrate(into: scratch.url("statistics"))
    let report = try prune(
      options(entry, target: 0.3, from: fixture.url, in: scratch, to: "pruned")
    )
    #expect(report.shareRemoved >= 0.2999)
    let layers = try PrunedModel(scratch.url("pruned"), report).weights()
    let blocks = Dictionary(grouping: layers) { layer in
      layer.name.description.split(separator: ".").first { Int($0) != nil } ?? ""
    }
    var widths: [[Int]] = []
    for layers in blocks.values { widths.append(try expectUnits(layers, entry)) }
    #expect(widths.count == 2)
    if entry.allocation == .uniform { #expect(widths[0] == widths[1]) }
  }

  /// Compares the zeros of the layers of one block.
  ///
  /// - Returns: The numbers of neurons, query heads and key and value heads that are left.
  private func expectUnits(_ layers: [PrunedModel.Weight], _ entry: Case) throws -> [Int] {
    func layer(_ kinds: String...) -> PrunedModel.Weight? {
      layers.first { layer in kinds.contains { layer.name.description.hasSuffix("\($0).weight") } }
    }
    func deadRows(_ layer: PrunedModel.Weight) -> [Int] {
      (0..<layer.outputs).filter { row in
        layer.row(row).allSatisfy { $0 == 0 } && (layer.bias?[row] ?? 0) == 0
      }
    }
    func deadColumns(_ layer: PrunedModel.Weight) -> [Int] {
      (0..<layer.inputs).filter { layer.column($0).allSatisfy { $0 == 0 } }
    }
    let down = try #require(layer("down_proj", "fc2"))
    let neurons = deadColumns(down)
    for layer in [layer("gate_proj"), layer("up_proj", "fc1")].compactMap(\.self) {
      #expect(deadRows(layer) == neurons)
      #expect(layer.zeros == neurons.count * layer.inputs)
    }
    #expect(down.zeros == neurons.count * down.outputs)
    let output = try #require(layer("o_proj", "out_proj"))
    let query = try #require(layer("q_proj"))
    let lost = deadColumns(output)
    #expect(lost == deadRows(query))
    let heads = lost.filter { $0 % headSize == 0 }
    #expect(lost == heads.flatMap { Array($0..<$0 + headSize) })
    let value = try #require(layer("v_proj"))
    let groups = deadRows(value)
    #expect(groups == deadRows(try #require(layer("k_proj"))))
    let perGroup = query.outputs / value.outputs
    switch entry.headUnit {
    case .group:
      #expect(lost.count == groups.count * perGroup)
      let followers = groups.filter { $0 % headSize == 0 }.flatMap { first in
        Array(first * perGroup..<(first + headSize) * perGroup)
      }
      #expect(lost == followers)
    case .query:
      #expect(groups.isEmpty)
      let sizes = (0..<value.outputs / headSize).map { group in
        heads.count { $0 / headSize / perGroup == group }
      }
      #expect(Set(sizes).count == 1)
    }
    return [
      down.inputs - neurons.count, (query.outputs - lost.count) / headSize,
      (value.outputs - groups.count) / headSize,
    ]
  }

  @Test("a pruned model can be pruned further, and what it lacks stays away")
  func further() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama3")
    let entry = Case(name: "llama3", headUnit: .group, allocation: .global)
    try fixture.calibrate(into: scratch.url("statistics"))
    var before: [PrunedModel.Weight]?
    var source = fixture.url
    for (round, target) in [0.2, 0.4].enumerated() {
      let name = "round-\(round)"
      var asked = options(entry, target: target, from: source, in: scratch, to: name)
      if round > 0 { asked.data = .calibrate(fixture.input, WindowChoice(), .empirical) }
      let report = try prune(asked)
      #expect(report.shareRemoved >= target - 1e-4)
      let after = try PrunedModel(scratch.url(name), report).weights()
      for (old, new) in zip(before ?? [], after) {
        #expect(zip(old.values, new.values).allSatisfy { $0 != 0 || $1 == 0 })
      }
      before = after
      source = scratch.url(name)
    }
  }

  @Test(
    "written in the usual profile a checkpoint has smaller tensors and the same perplexity",
    arguments: [Allocation.global, .uniform]
  )
  func smaller(allocation: Allocation) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama3")
    try fixture.calibrate(into: scratch.url("statistics"))
    let entry = Case(name: "llama3", headUnit: .group, allocation: allocation)
    func write(_ name: String, _ profile: Profile?) throws -> (bytes: Int, perplexity: Double) {
      _ = try prune(
        options(entry, target: 0.3, from: fixture.url, in: scratch, to: name, profile: profile)
      )
      let file = scratch.url(name).appending(path: "model.safetensors")
      let evaluation = try evaluate(
        EvaluationOptions(model: scratch.path(name), input: fixture.input)
      )
      return (try Data(contentsOf: file).count, evaluation.perplexity)
    }
    let (masked, usual) = (try write("masked", .masked), try write("usual", nil))
    #expect(usual.bytes < masked.bytes)
    #expect(abs(usual.perplexity - masked.perplexity) <= 1e-5 * masked.perplexity)
  }

  private func options(
    _ entry: Case,
    target: Double,
    from source: URL,
    in scratch: ScratchDirectory,
    to name: String,
    profile: Profile? = .masked
  ) -> PruneOptions {
    PruneOptions(
      model: source.path,
      data: .statistics(scratch.url("statistics")),
      removal: RemovalChoice(
        structure: .units([.neurons, .heads]),
        target: target,
        allocation: entry.allocation,
        headUnit: entry.headUnit
      ),
      profile: profile,
      output: scratch.url(name)
    )
  }
}
