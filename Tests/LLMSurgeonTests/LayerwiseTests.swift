import ExactJSON
import Foundation
import LLMSurgeon
import Pruning
import Safetensors
import Tensors
import TestKit
import Testing

@Suite("Pruning layer by layer")
struct LayerwiseTests {
  static let methods: [Method] = [.wanda, .sparsegpt, .alps]

  /// Prunes a fixture on its own tokens, or from statistics.
  @discardableResult
  private func pruned(
    _ model: URL,
    _ data: PruneData,
    _ removal: RemovalChoice,
    to output: URL,
    progress: any ProgressListener = SilentProgress()
  ) throws -> SafetensorsFile {
    _ = try prune(
      PruneOptions(model: model.path, data: data, removal: removal, output: output),
      progress: progress
    )
    return try SafetensorsFile(path: output.appending(path: "model.safetensors").path)
  }

  private func tokens(_ fixture: Fixture) -> PruneData {
    .calibrate(fixture.input, WindowChoice(), .empirical)
  }

  /// The names of a model's prunable weights, by block.
  private func weightNames(_ fixture: Fixture, block: Int) throws -> [TensorName] {
    let file = try SafetensorsFile(path: fixture.url.appending(path: "model.safetensors").path)
    return file.names.filter { name in
      "\(name)".contains("layers.\(block).") && "\(name)".hasSuffix(".weight")
        && file.description(of: name)?.shape.count == 2
    }
  }

  @Test(
    "each block is measured on what the pruned blocks below hand on",
    arguments: ["opt", "llama3"],
    methods
  )
  func sequential(name: String, method: Method) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture(name)
    let removal = RemovalChoice(structure: .element, target: 0.6, method: method)
    let sequential = try pruned(fixture.url, tokens(fixture), removal, to: scratch.url("tokens"))
    try fixture.calibrate(into: scratch.url("dense"))
    let dense = try pruned(
      fixture.url,
      .statistics(scratch.url("dense")),
      removal,
      to: scratch.url("all-at-once")
    )
    // The first block reads the embeddings either way; the second one does not.
    let (first, second) = (
      try weightNames(fixture, block: 0), try weightNames(fixture, block: 1)
    )
    for name in first { #expect(try sequential.bytes(name) == dense.bytes(name), "\(name)") }
    #expect(try second.contains { try sequential.bytes($0) != dense.bytes($0) })
    // A model whose first block alone is pruned has the statistics that the second one is owed.
    let half = try self.half(fixture, first: sequential, names: first, in: scratch)
    _ = try LLMSurgeon.calibrate(
      CalibrationOptions(
        model: half.path,
        input: fixture.input,
        output: scratch.url("half-statistics")
      )
    )
    let rest = try pruned(
      half,
      .statistics(scratch.url("half-statistics")),
      removal,
      to: scratch.url("rest")
    )
    for name in second { #expect(try sequential.bytes(name) == rest.bytes(name), "\(name)") }
  }

  /// A fixture with some weights from another file.
  private func half(
    _ fixture: Fixture,
    first: SafetensorsFile,
    names: [TensorName],
    in scratch: ScratchDirectory
  ) throws -> URL {
    let half = scratch.url("half")
    try FileManager.default.createDirectory(at: half, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: fixture.url.appending(path: "config.json"),
      to: half.appending(path: "config.json")
    )
    let original = try SafetensorsFile(path: fixture.url.appending(path: "model.safetensors").path)
    let tensors = try original.names.map { name in
      let bytes = try (names.contains(name) ? first : original).bytes(name)
      let description = try #require(original.description(of: name))
      return SafetensorsWriter.Tensor(name, description, bytes: { bytes })
    }
    try SafetensorsWriter.write(tensors, to: half.appending(path: "model.safetensors").path)
    return half
  }

  @Test("every layer loses its share to one weight, and patterns hold", arguments: methods)
  func shares(method: Method) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama")
    for (index, target) in [0.5, nil].enumerated() {
      let structure: Structure = target == nil ? .nm(kept: 2, of: 4) : .element
      let file = try pruned(
        fixture.url,
        tokens(fixture),
        RemovalChoice(structure: structure, target: target, method: method),
        to: scratch.url("pruned-\(index)")
      )
      for block in 0..<2 {
        for name in try weightNames(fixture, block: block) {
          let values = try file.floats(name)
          #expect(values.count { $0 == 0 } == values.count / 2, "\(name)")
          guard target == nil else { continue }
          for start in stride(from: 0, to: values.count, by: 4) {
            #expect(values[start..<start + 4].count { $0 == 0 } == 2)
          }
        }
      }
    }
  }

  @Test("biases and everything outside of the layers stay as they are", arguments: methods)
  func untouched(method: Method) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    let removal = RemovalChoice(structure: .element, target: 0.5, method: method)
    let file = try pruned(fixture.url, tokens(fixture), removal, to: scratch.url("pruned"))
    let original = try SafetensorsFile(path: fixture.url.appending(path: "model.safetensors").path)
    let weights = Set(try weightNames(fixture, block: 0) + weightNames(fixture, block: 1))
    for name in original.names where !weights.contains(name) {
      #expect(try file.bytes(name) == original.bytes(name), "\(name)")
    }
  }

  @Test("blocks with more outliers lose less, and the whole loses the target", arguments: methods)
  func outliers(method: Method) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama")
    let removal = RemovalChoice(
      structure: .element,
      target: 0.5,
      method: method,
      allocation: .owl
    )
    let file = try pruned(fixture.url, tokens(fixture), removal, to: scratch.url("pruned"))
    let shares = try (0..<2).map { block in
      let values = try weightNames(fixture, block: block).flatMap { try file.floats($0) }
      return Double(values.count { $0 == 0 }) / Double(values.count)
    }
    // Two blocks differ by all of the 2λ, unless they have the same ratio.
    #expect(abs(abs(shares[0] - shares[1]) - 0.16) < 1e-3 || shares[0] == shares[1])
    #expect(abs(shares[0] + shares[1] - 1) < 1e-3)
  }

  @Test("the report says how the layers were measured, and predicts no loss", arguments: methods)
  func report(method: Method) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    try fixture.calibrate(into: scratch.url("statistics"))
    let removal = RemovalChoice(structure: .element, target: 0.5, method: method)
    let dense = try evaluate(EvaluationOptions(model: fixture.url.path, input: fixture.input))
    let inputs: [(String, PruneData)] = [
      ("sequential", tokens(fixture)), ("dense", .statistics(scratch.url("statistics"))),
    ]
    for (word, data) in inputs {
      let output = scratch.url("pruned-\(word)")
      try pruned(fixture.url, data, removal, to: output)
      let document = try json(output.appending(path: "surgeon-report.json"))
      #expect(document["loss"]?["dense"]?.double == dense.loss)
      let result = try evaluate(EvaluationOptions(model: output.path, input: fixture.input))
      #expect(document["loss"]?["pruned"]?.double == result.loss)
      #expect(document["notes"]?.array?.first?.string?.hasPrefix("statistics: \(word)") == true)
      for layer in try #require(document["layers"]?.array) {
        let zeroed = try #require(layer["outputErrorZeroed"]?.double)
        let error = try #require(layer["outputError"]?.double)
        #expect(method == .wanda ? error == zeroed : error < zeroed)
        #expect(layer["predictedRise"]?.double == 0)
      }
      let report = try PruneReport(checkpoint: output)
      let text = try report.text(columns: 100, isTerminal: false)
      #expect(!text.contains("predicted rise") && text.contains("output error"))
      try report.writeHTML(to: scratch.url("page.html"))
      let page = String(decoding: try scratch.read("page.html"), as: UTF8.self)
      #expect(!page.contains("redicted") && page.contains("Output error"))
    }
  }

  @Test("two runs give the same bytes and leave nothing beside", arguments: methods)
  func reproducible(method: Method) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama3")
    let removal = RemovalChoice(structure: .element, target: 0.7, method: method)
    for name in ["first", "second"] {
      try pruned(fixture.url, tokens(fixture), removal, to: scratch.url(name))
    }
    #expect(try differences(scratch.url("first"), scratch.url("second")) == [])
    #expect(try scratch.names() == ["first", "second"])
  }

  @Test("a run that was killed anywhere begins again and ends with the same bytes")
  func killed() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    let removal = RemovalChoice(structure: .element, target: 0.7, method: .sparsegpt)
    let snapshots = Snapshots(of: scratch.url(".whole.unfinished"))
    try pruned(
      fixture.url,
      tokens(fixture),
      removal,
      to: scratch.url("whole"),
      progress: snapshots
    )
    #expect(!snapshots.copies.isEmpty)
    for number in snapshots.copies.indices {
      try scratch.write(".part-\(number).unfinished/.shot-1.safetensors.partial-1", "cut")
      let part = scratch.url("part-\(number)")
      try pruned(fixture.url, tokens(fixture), removal, to: part)
      #expect(try differences(scratch.url("whole"), part) == [], "kill \(number)")
    }
  }

  @Test("several shots, no data, and structures of whole rows are refused", arguments: methods)
  func refusals(method: Method) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    func attempt(_ data: PruneData, _ structure: Structure, shots: Int) throws {
      _ = try prune(
        PruneOptions(
          model: fixture.url.path,
          data: data,
          removal: RemovalChoice(structure: structure, target: 0.5, method: method),
          shots: shots,
          output: scratch.url("pruned")
        )
      )
    }
    #expect(throws: JobError.self) { try attempt(tokens(fixture), .element, shots: 2) }
    #expect(throws: JobError.self) { try attempt(.none, .element, shots: 1) }
    #expect(throws: (any Error).self) { try attempt(tokens(fixture), .rows, shots: 1) }
    #expect(try scratch.names() == [])
  }
}
