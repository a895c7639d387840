import ExactJSON
import Export
import Foundation
import Pruning
import TestKit
import Testing

@testable import LLMSurgeon

@Suite("Sweeps over targets")
struct SweepTests {
  static let structures: [Structure] = [
    .element, .nm(kept: 2, of: 4), .rowsColumns, .rows, .columns, .units([.neurons]),
    .units([.neurons, .heads]),
  ]

  @Test("a point is what a pruning to its target reports", arguments: structures)
  func agrees(structure: Structure) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama")
    try fixture.calibrate(into: scratch.url("statistics"))
    let targets = [0.1, 0.3]
    var options = PruneOptions(
      model: fixture.url.path,
      data: .statistics(scratch.url("statistics")),
      removal: RemovalChoice(structure: structure, target: nil),
      output: scratch.url("none")
    )
    let curve = try sweep(options, targets: targets)
    #expect(curve.points.map(\.target) == targets)
    for (index, target) in targets.enumerated() {
      options.removal.target = target
      options.output = scratch.url("pruned-\(index)")
      let report = try prune(options)
      let left = try #require(curve.points[index].left)
      #expect(left.shareRemoved == report.shareRemoved)
      let document = try json(options.output.appending(path: "surgeon-report.json"))
      let rise = try #require(document["shots"]?.array?.first?["predictedRise"]?.double)
      #expect(abs(try #require(left.predictedRise) - rise) <= 1e-9 * abs(rise))
      let file = options.output.appending(path: "model.safetensors")
      let size = try Data(contentsOf: file).count
      // The headers count as they were, and smaller sizes may have fewer digits.
      #expect(try #require(left.bytes) - size <= 512)
      #expect(try #require(left.bytes) >= size)
    }
    #expect(!FileManager.default.fileExists(atPath: scratch.url("none").path))
  }

  @Test("what a sweep calibrates on its own gives the same curve, and leaves no file behind")
  func calibrates() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    try fixture.calibrate(into: scratch.url("statistics"))
    let before = try tree(fixture.url).keys.sorted()
    let removal = RemovalChoice(structure: .units([.neurons]), target: nil)
    let curves = try [
      PruneData.statistics(scratch.url("statistics")),
      .calibrate(fixture.input, WindowChoice(), .empirical),
    ].map { data in
      try sweep(
        PruneOptions(
          model: fixture.url.path,
          data: data,
          removal: removal,
          output: scratch.url("none")
        ),
        targets: [0.1, 0.2, 0.4]
      )
    }
    #expect(curves[0].json == curves[1].json)
    #expect(try tree(fixture.url).keys.sorted() == before)
  }

  @Test("a target that the constraints do not allow is told so; the others have their points")
  func outOfReach() throws {
    let fixture = try Fixture("llama")
    let curve = try sweep(
      PruneOptions(
        model: fixture.url.path,
        data: .none,
        removal: RemovalChoice(
          structure: .units([.neurons]),
          target: nil,
          method: .magnitude,
          constraints: UnitConstraints(largestShare: 0.5)
        ),
        output: URL(filePath: "none")
      ),
      targets: [0.1, 0.9]
    )
    #expect(curve.points[0].left != nil)
    #expect(curve.points[1].left == nil)
    #expect(curve.text(columns: 100, isTerminal: false).contains("out of reach"))
  }

  @Test(
    "what is chosen by costs that are not in nats is predicted by its quadratic loss",
    arguments: [
      (Structure.element, Pruning.Method.lobd), (.element, .magnitude), (.rowsColumns, .lobd),
      (.units([.neurons]), .lobd), (.units([.neurons]), .magnitude),
      (.units([.neurons]), .activation),
    ]
  )
  func otherCosts(structure: Structure, method: Pruning.Method) throws {
    let scratch = try ScratchDirectory()
    // The means go into biases.
    let fixture = try Fixture(method == .activation ? "opt" : "llama")
    try fixture.calibrate(into: scratch.url("statistics"))
    var options = PruneOptions(
      model: fixture.url.path,
      data: .statistics(scratch.url("statistics")),
      removal: RemovalChoice(structure: structure, target: nil, method: method),
      output: scratch.url("pruned")
    )
    let point = try sweep(options, targets: [0.4]).points[0]
    options.removal.target = 0.4
    _ = try prune(options)
    let document = try json(options.output.appending(path: "surgeon-report.json"))
    let losses = try #require(document["layers"]?.array).compactMap { $0["lossRepaired"]?.double }
    let loss = losses.reduce(0, +)
    let rise = try #require(document["summary"]?["predictedRise"]?.double)
    #expect(loss > 0 && abs(rise - loss) <= 1e-9 * loss)
    #expect(abs(try #require(point.left?.predictedRise) - rise) <= 1e-9 * rise)
    // Without curvature nothing is predicted.
    guard method == .magnitude else { return }
    options.data = .none
    options.removal.target = nil
    let curve = try sweep(options, targets: [0.4])
    #expect(curve.points[0].left != nil && curve.points[0].left?.predictedRise == nil)
    #expect(!curve.text(columns: 120, isTerminal: false).contains("predicted rise"))
    options.output = scratch.url("each")
    let written = try pruneEach(options, targets: [0.4])
    #expect(written.points[0].left != nil && written.points[0].left?.predictedRise == nil)
  }

  static let written: [Structure] = [.element, .rowsColumns, .units([.neurons, .heads])]

  @Test("written checkpoints are those of prunings to each target", arguments: written)
  func checkpoints(structure: Structure) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama3")
    let targets = [0.1, 0.25]
    var options = PruneOptions(
      model: fixture.url.path,
      data: .calibrate(fixture.input, WindowChoice(), .empirical),
      removal: RemovalChoice(structure: structure, target: nil),
      output: scratch.url("swept")
    )
    options.memory.precision = .bfloat16
    let curve = try pruneEach(options, targets: targets)
    #expect(try scratch.names() == ["swept"])
    #expect(try scratch.names(in: "swept") == ["0.1", "0.25"])
    let expected = try sweep(options, targets: targets)
    for (index, target) in targets.enumerated() {
      options.removal.target = target
      options.output = scratch.url("alone-\(index)")
      _ = try prune(options)
      let swept = scratch.url("swept/\(target)")
      #expect(try differences(swept, options.output) == [])
      let (left, predicted) = (curve.points[index].left, expected.points[index].left)
      #expect(left?.shareRemoved == predicted?.shareRemoved)
      #expect(left?.parameters == predicted?.parameters)
      #expect(left?.widths == predicted?.widths)
    }
  }

  @Test("what lies at a target's place is replaced only if that is wished, and never by halves")
  func occupied() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama")
    var options = PruneOptions(
      model: fixture.url.path,
      data: .none,
      removal: RemovalChoice(structure: .units([.neurons]), target: nil, method: .magnitude),
      output: scratch.url("swept")
    )
    try scratch.write("swept/0.2/config.json", Array("{}".utf8))
    #expect(throws: JobError.self) { try pruneEach(options, targets: [0.1, 0.2]) }
    #expect(try scratch.names() == ["swept"])
    #expect(try scratch.names(in: "swept") == ["0.2"])
    options.overwrite = true
    _ = try pruneEach(options, targets: [0.1, 0.2])
    #expect(try scratch.names(in: "swept") == ["0.1", "0.2"])
    #expect(try scratch.names(in: "swept/0.2").contains("model.safetensors"))
  }

  @Test("a target out of reach is told so, and the others are written")
  func partlyWritten() throws {
    let scratch = try ScratchDirectory()
    let curve = try pruneEach(
      PruneOptions(
        model: try Fixture("llama").url.path,
        data: .none,
        removal: RemovalChoice(
          structure: .units([.neurons]),
          target: nil,
          method: .magnitude,
          constraints: UnitConstraints(largestShare: 0.5)
        ),
        output: scratch.url("swept")
      ),
      targets: [0.1, 0.9]
    )
    #expect(curve.points.map { $0.left == nil } == [false, true])
    #expect(try scratch.names() == ["swept"])
    #expect(try scratch.names(in: "swept") == ["0.1"])
  }

  @Test("a sweep whose prunings would all be refused ends before any work, and leaves nothing")
  func unfit() throws {
    let scratch = try ScratchDirectory()
    let options = PruneOptions(
      model: try Fixture("llama").url.path,
      data: .none,
      removal: RemovalChoice(structure: .units([.neurons]), target: nil, method: .magnitude),
      output: scratch.url("swept")
    )
    var small = options
    small.memory = CalibrationMemory(limit: 1)
    var timed = options
    timed.profile = .masked
    timed.timing = SampleTable(hidden: 32).table
    for (unfit, words) in [(small, "--memory"), (timed, "timing table")] {
      let error = try #require(throws: JobError.self) { try pruneEach(unfit, targets: [0.1]) }
      #expect(error.description.contains(words))
      #expect(try scratch.names() == [])
    }
  }

  @Test("targets out of range and methods without prediction are refused")
  func refused() throws {
    let fixture = try Fixture("llama")
    func options(_ method: Pruning.Method) -> PruneOptions {
      PruneOptions(
        model: fixture.url.path,
        data: .none,
        removal: RemovalChoice(structure: .element, target: nil, method: method),
        output: URL(filePath: "none")
      )
    }
    #expect(throws: JobError.self) { try sweep(options(.wanda), targets: [0.5]) }
    #expect(throws: JobError.self) { try sweep(options(.magnitude), targets: []) }
    #expect(throws: PruningError.self) { try sweep(options(.magnitude), targets: [0.5, 1]) }
  }
}
