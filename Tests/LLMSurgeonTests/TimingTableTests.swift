import Foundation
import TestKit
import Testing
import Transformer

@testable import LLMSurgeon

@Suite("Timing tables")
struct TimingTableTests {
  /// The nearest sequence without a fall, by its minimax formula: at `k` the largest over `i ≤ k` of
  /// the smallest over `j ≥ k` of the mean from `i` to `j`.
  private func minimax(_ values: [Double]) -> [Double] {
    values.indices.map { k in
      var most = -Double.infinity
      for i in 0...k {
        var least = Double.infinity
        for j in k..<values.count {
          let run = values[i...j]
          least = min(least, run.reduce(0, +) / Double(run.count))
        }
        most = max(most, least)
      }
      return most
    }
  }

  @Test("at its points a curve is the nearest one that does not fall", arguments: 0..<50)
  func monotone(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    let values = (0..<12).map { _ in Double.random(in: 0...1, using: &generator) }
    let curve = TimingCurve(
      values.enumerated().map { TimingCurve.Point(width: 3 * $0.offset + 2, seconds: $0.element) }
    )
    for (index, value) in minimax(values).enumerated() {
      #expect(abs(curve.seconds(at: 3 * index + 2) - value) <= 1e-14)
    }
    let all = (0...40).map { curve.seconds(at: $0) }
    #expect(zip(all, all.dropFirst()).allSatisfy(<=))
  }

  @Test("between two widths the time is linear, below the first it is the first's")
  func linear() {
    let curve = TimingCurve([
      TimingCurve.Point(width: 4, seconds: 2), TimingCurve.Point(width: 8, seconds: 4),
    ])
    #expect([0, 1, 4, 5, 7, 8].map { curve.seconds(at: $0) } == [2, 2, 2, 2.5, 3.5, 4])
  }

  @Test("a table that is written reads back the same")
  func roundTrip() throws {
    let table = SampleTable(hidden: 32).table
    #expect(try TimingTable(json: table.json, path: "t") == table)
    let again = try TimingTable(json: table.json, path: "t").json
    #expect(again == table.json)
  }

  /// Pieces of a valid table, what takes their place, and what the message says.
  static let faults: [(String, String, String)] = [
    ("llm-surgeon timing table", "table", "format is not"),
    ("\"formatVersion\": 1", "\"formatVersion\": 2", "formatVersion is not 1"),
    ("\"tokens\": 128", "\"tokens\": 0", "tokens is not an integer"),
    ("\"tokens\": 128", "\"tokens\": 1e2", "tokens is not an integer"),
    ("\"tokens\": 128", "\"tokens\": 99999999999999999999", "tokens is not an integer"),
    ("\"tokens\": 128", "\"tokens\": 128, \"more\": 1", "more is not a member"),
    ("\"hiddenSize\": 32", "\"hiddenSize\": -1", "model.hiddenSize is not"),
    ("\"isGated\": true", "\"isGated\": 1", "model.isGated is neither"),
    ("\"norms\": ", "\"norm\": ", "seconds.norm is not a member"),
    ("\"rest\": 0.5", "\"rest\": -0.5", "seconds.rest is not a number"),
    ("\"rest\": 0.5", "\"rest\": 1e999", "seconds.rest is not a number"),
    ("\"rest\": 0.5", "\"rest\": null", "seconds.rest is not a number"),
    ("\"neurons\": [", "\"neurons\": [[1], ", "seconds.neurons has no pair"),
    ("\"neurons\": [", "\"neurons\": [[999999, 1], ", "not by rising width at position 1"),
    ("\"neurons\": [", "\"neurons\": [[0, 1], ", "seconds.neurons has no pair"),
    ("\"heads\": [", "\"heads\": 3, \"x\": [", "seconds.x is not a member"),
    ("}", "", "line"),
  ]

  @Test("a faulty table is refused with the place of the fault", arguments: faults)
  func faulty(piece: String, replacement: String, message: String) throws {
    let text = String(decoding: SampleTable(hidden: 32).table.json, as: UTF8.self)
    try #require(text.contains(piece))
    let faulty = text.replacingOccurrences(of: piece, with: replacement)
    do {
      _ = try TimingTable(json: Array(faulty.utf8), path: "the-file")
      Issue.record("not refused: \(message)")
    } catch {
      #expect("\(error)".contains("the-file is no timing table"), "\(error)")
      #expect(piece == "}" || "\(error)".contains(message), "\(error)")
    }
  }

  @Test("what is measured of a model is a table for it", arguments: ["opt", "llama3"])
  func measured(name: String) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture(name)
    let table = try measureTimings(model: fixture.url.path, promptTokens: 8, repeats: 1)
    try table.write(to: scratch.url("table.json"))
    let read = try TimingTable(contentsOf: scratch.url("table.json"))
    #expect(read == table)
    try read.check(try OpenedModel(fixture.url.path).model.decoder)
    #expect(table.tokens == 8)
    #expect(table.heads.points.map(\.width) == [1, 2, 3, 4])
  }

  @Test("more tokens than go through a model at once are measured too")
  func longPrompt() throws {
    let table = try measureTimings(
      model: try Fixture("llama").url.path,
      promptTokens: 1030,
      repeats: 1,
      seconds: 1e-9
    )
    #expect(table.neurons.seconds(at: 44) > 0)
  }
}

/// A table of made-up times.
struct SampleTable {
  var hidden: Int
  var vocabulary = 96
  var isGated = true
  var widest = 64

  /// Attention heads that take as long as some neurons; none of the lists is a straight line.
  var table: TimingTable {
    func curve(_ slope: Double) -> TimingCurve {
      TimingCurve(
        [1, 2, 3, 4, 8, 16, 33, widest].map {
          TimingCurve.Point(width: $0, seconds: slope * (Double($0) + 0.01 * Double($0 * $0)))
        }
      )
    }
    return TimingTable(
      machine: nil,
      tokens: 128,
      sizes: TimingTable.Sizes(
        hiddenSize: hidden,
        headSize: 8,
        vocabulary: vocabulary,
        isGated: isGated
      ),
      rest: 0.5,
      norms: 0.125,
      heads: curve(1),
      keyValueHeads: curve(0.5),
      neurons: curve(0.1)
    )
  }
}
