import ExactJSON
import Foundation
import LLMSurgeon
import Pruning
import Safetensors
import Tensors
import TestKit
import Testing

@Suite("Pruning")
struct PruneTests {
  /// Prunes a fixture with fresh statistics.
  private func pruned(
    _ fixture: Fixture,
    _ removal: Removal,
    in scratch: ScratchDirectory
  ) throws -> PrunedModel {
    try PrunedModel(
      fixture.url,
      statistics: try fixture.statistics(in: scratch),
      removal,
      to: scratch.url("pruned")
    )
  }

  @Test("the target is met, and exceeded by one structure at most", arguments: ["opt", "llama3"])
  func target(name: String) throws {
    let scratch = try ScratchDirectory()
    try Fixture(name).calibrate(into: scratch.url("statistics"))
    for (index, removal) in Removal.all.enumerated() {
      let model = try PrunedModel(
        try Fixture(name).url,
        statistics: scratch.url("statistics"),
        removal,
        to: scratch.url("pruned-\(index)")
      )
      let weights = try model.weights()
      let total = weights.reduce(0) { $0 + $1.values.count }
      let zeros = weights.reduce(0) { $0 + $1.zeros }
      // What the report says is what the file holds.
      #expect(model.report.shareRemoved == Double(zeros) / Double(total), "\(removal)")
      let excess = Double(zeros) / Double(total) - removal.share
      // A row or column, and what follows from it: at most its partners of the next layer.
      let widest = weights.map { max($0.outputs, $0.inputs) }.max() ?? 0
      // The same widths everywhere: a head, or a group of them, of each block.
      let structure =
        removal.structure.isUnits ? total / 4 : removal.structure.isStructured ? 3 * widest : 1
      #expect(excess > -0.001 && excess <= Double(structure) / Double(total) + 0.001, "\(removal)")
    }
  }

  @Test(
    "N:M keeps N of M along the inputs",
    arguments: ["opt", "llama"],
    [Method.surgeon, .magnitude]
  )
  func blocks(name: String, method: Method) throws {
    let scratch = try ScratchDirectory()
    let removal = Removal(.nm(kept: 2, of: 4), nil, method)
    for weight in try pruned(try Fixture(name), removal, in: scratch).weights() {
      let worst = stride(from: 0, to: weight.values.count, by: 4).map { start in
        weight.values[start..<start + 4].count { $0 != 0 }
      }.max()
      #expect(weight.inputs % 4 == 0 && worst == 2, "\(weight.name)")
    }
  }

  @Test(
    "biases go with their rows and never alone",
    arguments: [
      Removal(.rows, 0.3), Removal(.rowsColumns, 0.5), Removal(.columns, 0.3),
      Removal(.element, 0.6), Removal(.rows, 0.3, .magnitude), Removal(.rowsColumns, 0.5, .kobd),
    ]
  )
  func biases(removal: Removal) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    let weights = try pruned(fixture, removal, in: scratch).weights()
    let original = try SafetensorsFile(path: fixture.url.appending(path: "model.safetensors").path)
    var removedRows = 0
    for weight in weights {
      let stem = weight.name.description.dropLast("weight".count)
      let before = try original.floats(TensorName("\(stem)bias"))
      let bias = try #require(weight.bias)
      let isWhole = weight.zeros == weight.values.count
      for row in 0..<weight.outputs where before[row] != 0 {
        let isEmpty = weight.row(row).allSatisfy { $0 == 0 }
        if bias[row] == 0 {
          #expect(isEmpty, "\(weight.name) row \(row)")
          removedRows += 1
        } else if removal.structure == .rows || removal.structure == .rowsColumns {
          // Only a layer that lost all its columns keeps the biases of empty rows.
          #expect(!isEmpty || isWhole, "\(weight.name) row \(row)")
        }
      }
    }
    // Columns take with them the rows that nobody reads any more.
    #expect((removedRows > 0) == removal.structure.isStructured)
  }

  @Test(
    "methods without repair leave the kept weights as they were",
    arguments: [
      Method.magnitude, .kobd, .lobd,
    ]
  )
  func untouched(method: Method) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama")
    let weights = try pruned(fixture, Removal(.element, 0.5, method), in: scratch).weights()
    let original = try SafetensorsFile(path: fixture.url.appending(path: "model.safetensors").path)
    for weight in weights {
      let before = try original.floats(weight.name)
      #expect(zip(weight.values, before).allSatisfy { $0 == 0 || $0 == $1 })
    }
  }

  @Test(
    "the checkpoint opens again, and its loss is the one in the report",
    arguments: Removal.repaired + [Removal(.element, 0.5, .magnitude), Removal(.rows, 0.3, .kobd)]
  )
  func opensAgain(removal: Removal) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama3")
    let model = try pruned(fixture, removal, in: scratch)
    let dense = try evaluate(EvaluationOptions(model: fixture.url.path, input: fixture.input))
    let result = try evaluate(EvaluationOptions(model: model.url.path, input: fixture.input))
    let loss = try json(model.url.appending(path: "surgeon-report.json"))["loss"]
    #expect(loss?["pruned"]?.double == result.loss)
    #expect(loss?["dense"]?.double == dense.loss)
    #expect(result.loss != dense.loss)
  }

  @Test("the report reads back as it was returned", arguments: Removal.repaired)
  func report(removal: Removal) throws {
    let scratch = try ScratchDirectory()
    let model = try pruned(try Fixture("opt"), removal, in: scratch)
    let read = try PruneReport(checkpoint: model.url)
    let file = try scratch.read("pruned/surgeon-report.json")
    #expect(read.json == model.report.json)
    #expect(Array((read.json + "\n").utf8) == file)
    #expect(!(try read.text(columns: 80, isTerminal: false)).isEmpty)
    try read.writeHTML(to: scratch.url("page.html"))
    #expect(String(decoding: try scratch.read("page.html"), as: UTF8.self).contains("</html>"))
  }

  @Test(
    "everything but the prunable weights is copied byte for byte",
    arguments: ["opt", "llama3"]
  )
  func rest(name: String) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture(name)
    let model = try pruned(fixture, Removal(.rowsColumns, 0.4), in: scratch)
    let prunable = Set(
      try model.weights().flatMap { weight in
        let stem = weight.name.description.dropLast("weight".count)
        return [weight.name, TensorName("\(stem)bias")]
      }
    )
    let original = try SafetensorsFile(path: fixture.url.appending(path: "model.safetensors").path)
    for name in model.tensors.names {
      #expect(model.tensors.description(of: name) == original.description(of: name))
      guard !prunable.contains(name) else { continue }
      #expect(try model.tensors.bytes(name) == original.bytes(name), "\(name)")
    }
    // Members may be added, in the spelling of an older version.
    let old = try #require(try json(fixture.url.appending(path: "config.json")).object)
    let new = try #require(try json(model.url.appending(path: "config.json")).object)
    #expect(zip(old.members, new.members).allSatisfy { $0 == $1 })
    #expect((new.members.count == old.members.count) == (name == "opt"))
  }

  @Test("two runs give the same bytes and leave nothing beside", arguments: Removal.repaired)
  func reproducible(removal: Removal) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt-bin")
    try fixture.calibrate(into: scratch.url("statistics"))
    for name in ["first", "second"] {
      _ = try PrunedModel(
        fixture.url,
        statistics: scratch.url("statistics"),
        removal,
        to: scratch.url(name)
      )
    }
    #expect(try differences(scratch.url("first"), scratch.url("second")) == [])
    #expect(try scratch.names() == ["first", "second", "statistics"])
  }
}
