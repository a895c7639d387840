import ExactJSON
import Export
import Foundation
import Pruning
import Safetensors
import Tensors
import TestKit
import Testing
import Transformer

@testable import LLMSurgeon

@Suite("Speedups as targets")
struct SpeedupTargetTests {
  @Test(
    "a speedup is a decimal number above 1, with or without an x",
    arguments: [
      ("1.5x", 1.5), ("2", 2), ("1.25", 1.25), ("1000x", 1000), ("1", nil), ("1x", nil),
      ("0.5x", nil), ("x", nil), ("", nil), ("-2", nil), ("nan", nil), ("inf", nil), ("1001", nil),
      ("1e2", nil), ("1.5xx", nil), ("1..5", nil), ("0x2", nil), ("1.5 x", nil),
    ] as [(String, Double?)]
  )
  func factors(text: String, value: Double?) { #expect(SpeedupFactor(text)?.value == value) }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let allocation: Allocation
    let factor: Double
    var testDescription: String { "\(name) \(allocation.rawValue) \(factor)" }
  }

  static let cases = ["opt", "llama", "llama3"].flatMap { name in
    [Allocation.uniform, .global].flatMap { allocation in
      [1.1, 1.3].map { Case(name: name, allocation: allocation, factor: $0) }
    }
  }

  @Test(
    "the prediction for the written shapes meets the target, with one structure more it does not",
    arguments: cases
  )
  func met(entry: Case) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture(entry.name)
    let table = try self.table(fixture)
    _ = try prune(options(fixture, table, entry.factor, entry.allocation, in: scratch))
    let shapes = try Widths.of(scratch.url("pruned"))
    let dense = Prediction(table).time(try Widths.of(fixture.url))
    #expect(dense / Prediction(table).time(shapes) >= entry.factor)
    let whole = try Widths.of(fixture.url)
    for kind in [\Widths.neurons, \Widths.groups] {
      let blocks =
        entry.allocation == .uniform ? [Array(shapes.indices)] : shapes.indices.map { [$0] }
      for changed in blocks {
        var more = shapes
        for block in changed {
          more[block][keyPath: kind] += 1
          more[block].heads = more[block].groups * whole[block].heads / whole[block].groups
        }
        guard zip(more, whole).allSatisfy({ $0[keyPath: kind] <= $1[keyPath: kind] }) else {
          continue
        }
        #expect(dense / Prediction(table).time(more) < entry.factor)
      }
    }
    let speed = try json(scratch.url("pruned").appending(path: "surgeon-report.json"))["speed"]
    let stated = try #require(speed?["predictedSpeedup"]?.double)
    #expect(abs(stated - dense / Prediction(table).time(shapes)) <= 1e-12 * stated)
    #expect(stated >= entry.factor)
    #expect(speed?["target"]?.double == entry.factor)
  }

  @Test("the same table gives the same bytes")
  func repeats() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama3")
    let table = try self.table(fixture)
    for name in ["first", "second"] {
      var asked = options(fixture, table, 1.2, .uniform, in: scratch)
      asked.output = scratch.url(name)
      _ = try prune(asked)
    }
    #expect(try differences(scratch.url("first"), scratch.url("second")) == [])
  }

  @Test("an impossible speedup is refused with the largest that is possible, which is reached")
  func nearest() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama")
    let table = try self.table(fixture)
    let message = error(options(fixture, table, 900, .uniform, in: scratch))
    let words = message.split(separator: " ")
    let most = try #require(words.last.flatMap { Double($0) }, "\(message)")
    #expect(most > 1.3 && most < 100)
    _ = try prune(options(fixture, table, most, .uniform, in: scratch))
    let more = most + 0.002
    var impossible = options(fixture, table, more, .uniform, in: scratch)
    impossible.overwrite = true
    #expect(error(impossible).contains("out of reach"))
  }

  @Test("a table that is missing, of another model, or of no use is refused before any work")
  func refused() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama")
    let table = try self.table(fixture)
    func message(_ change: (inout PruneOptions) -> Void) -> String {
      var asked = options(fixture, table, 1.2, .uniform, in: scratch)
      change(&asked)
      return error(asked)
    }
    #expect(message { $0.timing = nil }.contains("--timing-table"))
    #expect(
      message { $0.timing = SampleTable(hidden: 33).table }.contains("another")
        || message { $0.timing = SampleTable(hidden: 33).table }.contains("hidden size 33")
    )
    let narrow = SampleTable(hidden: 32, widest: 40).table
    #expect(message { $0.timing = narrow }.contains("ends at 40 neurons"))
    #expect(message { $0.profile = .masked }.contains("masked"))
    #expect(
      message {
        $0.removal.size = nil
        $0.removal.target = 0.3
        $0.removal.structure = .rows
      }.contains("rows")
    )
    #expect(try scratch.names() == [])
  }

  @Test("with a share as target the speedup is stated, and a sweep states the same")
  func stated() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama3")
    var asked = options(fixture, try table(fixture), 1.2, .uniform, in: scratch)
    asked.removal.size = nil
    asked.removal.target = 0.3
    _ = try prune(asked)
    let report = try json(scratch.url("pruned").appending(path: "surgeon-report.json"))
    let stated = try #require(report["speed"]?["predictedSpeedup"]?.double)
    #expect(stated > 1)
    #expect(report["speed"]?["target"] == nil)
    let curve = try sweep(asked, targets: [0.3])
    #expect(curve.points[0].left?.predictedSpeedup == stated)
  }

  private func error(_ options: PruneOptions) -> String {
    do {
      _ = try prune(options)
      return "no error"
    } catch { return "\(error)" }
  }

  private func table(_ fixture: Fixture) throws -> TimingTable {
    let decoder = try OpenedModel(fixture.url.path).model.decoder
    return SampleTable(
      hidden: decoder.hiddenSize,
      vocabulary: decoder.vocabulary,
      isGated: decoder.isGated,
      widest: 256
    ).table
  }

  private func options(
    _ fixture: Fixture,
    _ table: TimingTable,
    _ factor: Double,
    _ allocation: Allocation,
    in scratch: ScratchDirectory
  ) -> PruneOptions {
    PruneOptions(
      model: fixture.url.path,
      data: .none,
      removal: RemovalChoice(
        structure: .units([.neurons, .heads]),
        target: nil,
        size: .speedup(factor),
        method: .magnitude,
        allocation: allocation
      ),
      timing: table,
      output: scratch.url("pruned")
    )
  }
}

/// The widths of a block, read off the shapes in a checkpoint.
private struct Widths {
  var heads: Int
  var groups: Int
  var neurons: Int

  static func of(_ directory: URL) throws -> [Widths] {
    let file = try SafetensorsFile(path: directory.appending(path: "model.safetensors").path)
    func size(_ block: Int, _ names: [String], _ axis: Int) throws -> Int {
      let found = file.names.first { name in
        "\(name)".contains("layers.\(block).")
          && names.contains { "\(name)".hasSuffix("\($0).weight") }
      }
      let name = try #require(found)
      return try #require(file.description(of: name)).shape[axis]
    }
    return try (0..<2).map { block in
      Widths(
        heads: try size(block, ["q_proj"], 0) / 8,
        groups: try size(block, ["k_proj"], 0) / 8,
        neurons: try size(block, ["down_proj", "fc2"], 1)
      )
    }
  }
}

/// The prediction as `docs/timing-table.md` states it, for lists without a fall.
private struct Prediction {
  let table: TimingTable

  init(_ table: TimingTable) { self.table = table }

  func time(_ blocks: [Widths]) -> Double {
    blocks.reduce(table.rest) {
      $0 + table.norms + time(table.heads, $1.heads) + time(table.keyValueHeads, $1.groups)
        + time(table.neurons, $1.neurons)
    }
  }

  private func time(_ curve: TimingCurve, _ width: Int) -> Double {
    for (low, high) in zip(curve.points, curve.points.dropFirst()) where width <= high.width {
      let slope = (high.seconds - low.seconds) / Double(high.width - low.width)
      return low.seconds + slope * Double(width - low.width)
    }
    return .nan
  }
}
