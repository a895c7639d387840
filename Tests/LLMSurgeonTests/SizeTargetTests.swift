import DemonstrationModel
import ExactJSON
import Export
import Foundation
import LLMSurgeon
import Pruning
import Safetensors
import Tensors
import TestKit
import Testing

@Suite("Sizes as targets")
struct SizeTargetTests {
  @Test(
    "a number of parameters is read exactly, or not at all",
    arguments: [
      ("1.2B", 1_200_000_000), ("350M", 350_000_000), ("1.5K", 1500), ("12345", 12_345),
      ("0.0001K", nil), ("0.1K", 100), ("1.2345K", 1234), ("", nil), ("K", nil), ("-1K", nil),
      (".5K", nil), ("5.K", nil), ("1.2.3K", nil), ("1e3", nil), ("nan", nil), ("0", nil),
      ("1GB", nil), ("1 K", nil), ("٣K", nil), ("9223372036854775807", Int.max),
      ("9223372036854775808", nil), ("9223372037B", nil), ("1.1234567890123456789K", 1123),
    ] as [(String, Int?)]
  )
  func parameters(text: String, value: Int?) { #expect(ParameterCount(text)?.value == value) }

  @Test(
    "a number of bytes is read exactly, or not at all",
    arguments: [
      ("2.5GB", 2_500_000_000), ("2GiB", 2_147_483_648), ("1.5KiB", 1536), ("8KB", 8000),
      ("8kB", 8000), ("7B", 7), ("7", 7), ("1TiB", 1_099_511_627_776),
      ("1.1TiB", 1_209_462_790_553),
      ("1Kb", nil), ("1KIB", nil), ("1M", nil), ("0.5B", nil), ("8388608TiB", nil),
    ] as [(String, Int?)]
  )
  func bytes(text: String, value: Int?) { #expect(ByteCount(text)?.value == value) }

  /// What is counted.
  enum Kind: CaseIterable { case parameters, bytes, cache }

  /// A model, what is counted, how it is shared, and the share that may be left.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let kind: Kind
    let allocation: Allocation
    let left: Double
    var testDescription: String { "\(name) \(kind) \(allocation.rawValue) \(left)" }
  }

  static let cases = ["opt", "opt-bin", "llama", "llama3"].flatMap { name in
    Kind.allCases.flatMap { kind in
      [Allocation.uniform, .global].flatMap { allocation in
        [0.9, 0.75].map { Case(name: name, kind: kind, allocation: allocation, left: $0) }
      }
    }
  }
  .filter { $0.kind != .cache || $0.name.hasPrefix("llama") && $0.left < 0.8 }

  @Test(
    "the written checkpoint has at most the target, and one structure more would not fit",
    arguments: cases
  )
  func met(entry: Case) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture(entry.name)
    // A copy through this program, which writes every tensor once, as safetensors.
    _ = try export(
      ExportOptions(
        model: fixture.url.path,
        target: .huggingFace(.masked, hasLegacyConfiguration: false),
        output: scratch.url("dense")
      )
    )
    let dense = try CountedWeights(scratch.url("dense"))
    let most = Int(Double(dense.size(entry.kind)) * entry.left)
    let report = try prune(
      options(fixture, size: target(entry.kind, most), entry.allocation, in: scratch)
    )
    let pruned = try CountedWeights(scratch.url("pruned"))
    let size = pruned.size(entry.kind)
    #expect(size <= most)
    let blocks = entry.allocation == .uniform ? 2 : 1
    let step = dense.step(entry.kind, from: pruned) * blocks
    let slack = entry.kind == .bytes ? dense.header - pruned.header : 0
    #expect(most - size < step + slack)
    #expect(report.shareRemoved > 0)
    #expect(report.json.contains("target: at most"))
  }

  @Test(
    "the nearest size that is named can be met, and one less cannot",
    arguments: ["opt", "llama"]
  )
  func nearest(name: String) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture(name)
    var nearest = 0
    do {
      _ = try prune(options(fixture, size: .parameters(10), .uniform, in: scratch))
      Issue.record("ten parameters are not a model")
    } catch PruningError.goalOutOfReach(_, let most, let found) {
      #expect(most == 10)
      nearest = Int(found)
    }
    #expect(throws: PruningError.self) {
      try prune(options(fixture, size: .parameters(nearest - 1), .uniform, in: scratch))
    }
    _ = try prune(options(fixture, size: .parameters(nearest), .uniform, in: scratch))
    #expect(try CountedWeights(scratch.url("pruned")).size(.parameters) == nearest)
  }

  @Test("a model with biases, which keeps more heads than are left, has at most the target too")
  func biases() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama")
    let model = try biased(fixture, in: scratch)
    let dense = try CountedWeights(model).size(.parameters)
    for share in [0.9, 0.75, 0.6] {
      let most = Int(Double(dense) * share)
      var asked = options(fixture, size: .parameters(most), .uniform, in: scratch)
      asked.model = model.path
      asked.overwrite = true
      _ = try prune(asked)
      let pruned = try CountedWeights(scratch.url("pruned"))
      #expect(pruned.size(.parameters) <= most)
      #expect(
        try most - pruned.size(.parameters) < CountedWeights(model).step(.parameters, from: pruned)
          * 2
      )
      let input = TokenInput.tokens(fixture.expectedURL)
      let result = try evaluate(EvaluationOptions(model: scratch.path("pruned"), input: input))
      #expect(result.loss.isFinite)
    }
  }

  @Test("where query heads go alone the size is met and all keys and values stay")
  func queryHeads() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama3")
    let dense = try CountedWeights(fixture.url)
    for allocation in [Allocation.uniform, .global] {
      let most = dense.size(.parameters) * 7 / 10
      var asked = options(fixture, size: .parameters(most), allocation, in: scratch)
      asked.removal.headUnit = .query
      asked.overwrite = true
      _ = try prune(asked)
      let pruned = try CountedWeights(scratch.url("pruned"))
      #expect(pruned.size(.parameters) <= most)
      #expect(pruned.size(.cache) == dense.size(.cache))
      let blocks = allocation == .uniform ? 2 : 1
      #expect(most - pruned.size(.parameters) < dense.step(.parameters, from: pruned) * blocks)
    }
  }

  @Test("the embedded model, in half precision, has at most the bytes that are asked for")
  func embedded() throws {
    let scratch = try ScratchDirectory()
    let url = DemonstrationModel.directory
    let file = url.appending(path: "model.safetensors")
    let most = try Data(contentsOf: file).count * 8 / 10
    var asked = options(try Fixture("llama"), size: .bytes(most), .uniform, in: scratch)
    asked.model = url.path
    _ = try prune(asked)
    let pruned = try CountedWeights(scratch.url("pruned"))
    #expect(pruned.size(.bytes) <= most)
    let dense = try CountedWeights(url)
    let blocks = try #require(
      json(url.appending(path: "config.json"))["num_hidden_layers"]?.integer
    )
    // `step` counts four bytes for each element, twice those of this model.
    let step = dense.step(.bytes, from: pruned) / 2 * blocks
    #expect(most - pruned.size(.bytes) < step + dense.header - pruned.header)
  }

  /// A copy of a model whose attention layers have biases.
  private func biased(_ fixture: Fixture, in scratch: ScratchDirectory) throws -> URL {
    let path = fixture.url.appending(path: "model.safetensors").path
    let original = try SafetensorsFile(path: path)
    var tensors: [SafetensorsWriter.Tensor] = []
    for name in original.names {
      let description = try #require(original.description(of: name))
      let values = try original.floats(name)
      tensors.append(SafetensorsWriter.Tensor(name, description, floats: { values }))
      let text = "\(name)"
      guard text.contains("self_attn") else { continue }
      let bias = (0..<description.shape[0]).map { Float($0 % 5) / 50 }
      tensors.append(
        SafetensorsWriter.Tensor(
          TensorName(text.replacingOccurrences(of: ".weight", with: ".bias")),
          TensorDescription(elementType: .float32, shape: [bias.count]),
          floats: { bias }
        )
      )
    }
    let configuration = try String(
      contentsOf: fixture.url.appending(path: "config.json"),
      encoding: .utf8
    )
    let changed = configuration.replacing(
      /"attention_bias": *false/,
      with: "\"attention_bias\":true"
    )
    try #require(changed != configuration)
    try scratch.write("biased/config.json", Array(changed.utf8))
    try SafetensorsWriter.write(tensors, to: scratch.path("biased/model.safetensors"))
    return scratch.url("biased")
  }

  @Test("several shots end at the same size as one")
  func shots() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama")
    var asked = options(fixture, size: .parameters(1), .global, in: scratch)
    let most = try CountedWeights(fixture.url).size(.parameters) * 8 / 10
    asked.removal.method = .surgeon
    asked.removal.size = .parameters(most)
    asked.data = .calibrate(fixture.input, WindowChoice(), .empirical)
    asked.shots = 2
    _ = try prune(asked)
    #expect(try CountedWeights(scratch.url("pruned")).size(.parameters) <= most)
  }

  @Test("a size that is met already, or that nothing can shrink, is refused before any work")
  func refused() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    func expectError(_ word: String, _ change: (inout PruneOptions) -> Void) {
      var asked = options(fixture, size: .parameters(9000), .uniform, in: scratch)
      change(&asked)
      do {
        _ = try prune(asked)
        Issue.record("not refused: \(word)")
      } catch {
        #expect("\(error)".contains(word), "\(error)")
      }
    }
    expectError("nothing to remove") { $0.removal.size = .parameters(1_000_000_000) }
    expectError("nothing to remove") { $0.removal.size = .bytes(1_000_000_000) }
    expectError("nearest") { $0.removal.size = .keyValueBytesPerToken(100) }
    expectError("not both") { $0.removal.target = 0.5 }
    expectError("neurons and heads") { $0.removal.structure = .rows }
    expectError("masked") { $0.profile = .masked }
    expectError("--allocation") {
      $0.removal.allocation = .global
      $0.profile = .uniform
    }
  }

  private func target(_ kind: Kind, _ most: Int) -> SizeTarget {
    switch kind {
    case .parameters: .parameters(most)
    case .bytes: .bytes(most)
    case .cache: .keyValueBytesPerToken(most)
    }
  }

  private func options(
    _ fixture: Fixture,
    size: SizeTarget,
    _ allocation: Allocation,
    in scratch: ScratchDirectory
  ) -> PruneOptions {
    PruneOptions(
      model: fixture.url.path,
      data: .none,
      removal: RemovalChoice(
        structure: .units([.neurons, .heads]),
        target: nil,
        size: size,
        method: .magnitude,
        allocation: allocation
      ),
      output: scratch.url("pruned")
    )
  }
}
