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

@Suite("Scores of blocks")
struct DepthScoreTests {
  private static let windows = WindowChoice(samples: 2, length: 24)

  private static func options(
    _ metrics: [DepthMetric],
    _ structure: DepthStructure = DepthStructure([.blocks]),
    model: String = DemonstrationModel.directory.path
  ) -> DepthScoreOptions {
    DepthScoreOptions(
      model: model,
      input: .text([DemonstrationModel.calibrationText]),
      windows: windows,
      structure: structure,
      metrics: metrics,
      shapley: ShapleyChoice(walks: 4)
    )
  }

  private static func evaluator() throws -> (DepthEvaluator, DepthMask) {
    let opened = try OpenedModel(DemonstrationModel.directory.path)
    let drawn = try opened.calibrationWindows(.text([DemonstrationModel.calibrationText]), windows)
    let mask = DepthMask(keepingAll: opened.model.decoder.blocks)
    return (try DepthEvaluator(opened.model, drawn), mask)
  }

  @Test("a unit that adds nothing scores zero by every metric and goes first")
  func identity() throws {
    let scratch = try ScratchDirectory()
    var options = DepthPruneOptions(
      model: DemonstrationModel.directory.path,
      structure: DepthStructure([.attention, .feedForward]),
      amount: .blocks([3]),
      criterion: .score(.loss),
      output: scratch.url("silent")
    )
    options.profile = .masked
    // Both parts gone would be a block less, so they go one after the other.
    options.structure = DepthStructure([.attention])
    options.output = scratch.url("half")
    _ = try pruneDepth(options)
    options.model = scratch.path("half")
    options.structure = DepthStructure([.feedForward])
    options.output = scratch.url("silent")
    _ = try pruneDepth(options)
    let scores = try depth(Self.options(DepthMetric.allCases, model: scratch.path("silent")))
    for column in scores.columns {
      #expect(column.values[3] == 0, "\(column.metric)")
      // Other blocks may lower the loss on few tokens when they go.
      if column.metric != .loss, column.metric != .shapley {
        #expect(try scores.order(column)[0].block == 3, "\(column.metric)")
      }
    }
  }

  @Test("the loss score is the rise of the loss of the model without the unit")
  func leaveOneOut() throws {
    let (evaluator, whole) = try Self.evaluator()
    let structure = DepthStructure([.blocks, .attention, .feedForward])
    let scores = try depth(Self.options([.loss], structure))
    #expect(scores.units.count == 3 * whole.count)
    let base = try evaluator.loss(under: whole)
    for (unit, value) in zip(scores.units, scores.columns[0].values) {
      let expected = try evaluator.loss(under: whole.removing(unit)) - base
      // The same runs; sums of two windows are taken before or after the difference.
      #expect(abs(value - expected) <= 1e-12)
    }
  }

  @Test("leaving one out ranks as the published default of random subnetworks does")
  func published() throws {
    let (evaluator, whole) = try Self.evaluator()
    let column = try depth(Self.options([.loss])).columns[0]
    let losses = try (0..<whole.count).map { block in
      try evaluator.loss(under: whole.removing(.all, ofBlock: block))
    }
    // The loss without a unit less the mean of the runs that have it, which lack one other each.
    let influence = losses.map { loss in
      loss - (losses.reduce(0, +) - loss) / Double(losses.count - 1)
    }
    func order(_ values: [Double]) -> [Int] { values.indices.sorted { values[$0] < values[$1] } }
    #expect(order(influence) == order(column.values))
  }

  @Test("untruncated Shapley values add up to the loss of nothing less that of everything")
  func efficiency() throws {
    let scratch = try ScratchDirectory()
    let (evaluator, whole) = try Self.evaluator()
    var options = DepthPruneOptions(
      model: DemonstrationModel.directory.path,
      structure: DepthStructure([.blocks]),
      amount: .blocks([2, 3, 4]),
      criterion: .score(.loss),
      output: scratch.url("few")
    )
    options.overwrite = true
    _ = try pruneDepth(options)
    let opened = try OpenedModel(scratch.path("few"))
    let few = try DepthEvaluator(opened.model, evaluator.windows)
    let all = DepthMask(keepingAll: opened.model.decoder.blocks)
    let none = DepthMask(
      blocks: all.count,
      without: DepthStructure([.blocks]).units(blocks: all.count)
    )
    let difference = try few.loss(under: none) - few.loss(under: all)
    let estimate = try few.shapley(
      DepthStructure([.blocks]).units(blocks: all.count),
      ShapleySampler(mostPairs: 2, lowest: 1, seed: 1),
      progress: SilentProgress()
    )
    #expect(all.count == whole.count - 3)
    #expect(abs(estimate.values.reduce(0, +) - difference) <= 1e-9)
  }

  @Test("walks end at the loss of a uniform guess")
  func truncation() throws {
    let column = try depth(Self.options([.shapley])).columns[0]
    let base = try Self.evaluator()
    // Each walk ends above that loss: so is the loss of the model without blocks.
    #expect(column.values.reduce(0, +) > log(2048) - (try base.0.loss(under: base.1)) - 1e-9)
    #expect(column.standardErrors?.count == 6)
  }

  @Test("a span of one block is the block")
  func spans() throws {
    var options = Self.options([.angular, .cosine])
    let single = try depth(options)
    options.span = 2
    let double = try depth(options)
    #expect(double.units.map(\.block) == [0, 1, 2, 3, 4])
    #expect(single.columns[0].values != double.columns[0].values)
    options.metrics = [.loss]
    #expect(throws: JobError.self) { try depth(options) }
    options.span = 7
    options.metrics = [.angular]
    #expect(throws: JobError.self) { try depth(options) }
  }

  @Test("the picture fills with the score, and documents hold all")
  func output() throws {
    let scores = try depth(Self.options([.cosine, .shapley]))
    let text = try scores.text(columns: 100, isTerminal: false)
    #expect(text.contains("████") && text.contains("first to go first"))
    let document = try JSONParser.parse(Array(scores.json().utf8))
    #expect(document["units"]?.array?.count == 6)
    #expect(document["scores"]?.array?.count == 2)
    #expect(document["scores"]?.array?[0]["order"]?.array?.count == 6)
    #expect(document["scores"]?.array?[1]["standardErrors"]?.array?.count == 6)
  }

  @Test("structures are read as they are written")
  func structures() {
    #expect(DepthStructure("blocks")?.kinds == [.blocks])
    #expect(DepthStructure("feed-forward,attention")?.description == "attention,feed-forward")
    for text in ["", "block", "blocks,", "blocks,blocks", "neurons"] {
      #expect(DepthStructure(text) == nil, "\(text)")
    }
  }
}
