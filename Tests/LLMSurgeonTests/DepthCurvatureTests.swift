import Curvature
import DemonstrationModel
import Depth
import Foundation
import LinearAlgebra
import Tensors
import TestKit
import Testing

@testable import LLMSurgeon
@testable import Transformer

@Suite("Curvature of blocks and parts")
struct DepthCurvatureTests {
  private static let structure = DepthStructure([.blocks, .attention, .feedForward])
  private static let windows = WindowChoice(samples: 3, length: 24)
  private static let text = TokenInput.text([DemonstrationModel.calibrationText])

  private static func evaluator(_ path: String) throws -> DepthEvaluator {
    let opened = try OpenedModel(path)
    return try DepthEvaluator(opened.model, try opened.calibrationWindows(text, windows))
  }

  private static func scores(
    _ evaluator: DepthEvaluator,
    without gone: [DepthUnit] = []
  ) throws -> [DepthUnit: Double] {
    let blocks = evaluator.model.decoder.blocks
    let units = structure.units(blocks: blocks)
    let rises = try evaluator.curvature(
      of: units,
      under: DepthMask(blocks: blocks, without: gone),
      progress: SilentProgress()
    )
    return Dictionary(uniqueKeysWithValues: zip(units, rises))
  }

  /// The factors of one layer over all tokens but the first of each window.
  private struct LayerFactors: GradientVisitor, LinearObserver {
    let layer: Int
    let length: Int
    var inputs = SecondMoment(width: 0, appendsOne: false)
    var gradients = SecondMoment(width: 0, appendsOne: false)

    mutating func observe(_ traffic: [LinearTraffic]) {
      for shown in traffic {
        guard let place = shown.group.linears.firstIndex(of: layer) else { continue }
        if inputs.order == 0 {
          inputs = SecondMoment(width: shown.group.inputs, appendsOne: shown.group.hasBias)
          gradients = SecondMoment(width: shown.gradients[place][0].columns, appendsOne: false)
        }
        inputs.add(shown.inputs.map(rest))
        gradients.add(shown.gradients[place].map(rest))
      }
    }

    private func rest(_ piece: Matrix<Float>) -> Matrix<Float> {
      piece.selecting(
        rows: (0..<piece.rows).filter { $0 % length != 0 },
        columns: Array(0..<piece.columns)
      )
    }

    mutating func visit(
      _ batch: GradientPass.Batch,
      gradient: inout Matrix<Float>,
      in workspace: inout BlockWorkspace
    ) throws {
      try batch.block.backward(
        &gradient,
        BlockInput(batch.input, length: batch.length),
        in: &workspace,
        observer: &self
      )
    }

    mutating func finish(block: Int) throws {}
  }

  @Test("without repair it is what the solver predicts for removing the part's last layer")
  func agreesWithLayers() throws {
    let evaluator = try Self.evaluator(DemonstrationModel.directory.path)
    let model = evaluator.model
    let index = try #require(
      model.linears.firstIndex { $0.block == 0 && $0.role == .attentionOutput }
    )
    var factors = LayerFactors(layer: index, length: evaluator.windows.length)
    let pass = GradientPass(
      model: model,
      mask: DepthMask(keepingAll: model.decoder.blocks),
      windows: evaluator.windows,
      labels: .text,
      memory: CalibrationMemory(),
      name: "test",
      scratch: .temporaryDirectory,
      state: nil
    )
    _ = try pass.run(&factors, progress: SilentProgress())
    var change = Matrix(
      rows: model.linears[index].outputs,
      columns: model.linears[index].inputs,
      storage: try model.source.floats(model.linears[index].weight)
    )
    for place in change.storage.indices { change.storage[place].negate() }
    let expected = try KroneckerFactors(
      activations: factors.inputs.mean(),
      gradients: factors.gradients.mean()
    ).loss(of: change)
    let unit = DepthUnit(kind: .attention, block: 0)
    let rise = try #require(Self.scores(evaluator)[unit])
    #expect(expected > 1e-4)
    // Means in single precision.
    #expect(abs(rise - expected) <= 1e-4 * expected)
  }

  @Test("scores under a mask are those of the model without what is gone")
  func masked() throws {
    let scratch = try ScratchDirectory()
    let evaluator = try Self.evaluator(DemonstrationModel.directory.path)
    let gone = [DepthUnit(kind: .blocks, block: 1), DepthUnit(kind: .blocks, block: 3)]
    let masked = try Self.scores(evaluator, without: gone)
    var options = DepthPruneOptions(
      model: DemonstrationModel.directory.path,
      structure: DepthStructure([.blocks]),
      amount: .blocks(gone.map(\.block)),
      criterion: .score(.loss),
      output: scratch.url("fewer")
    )
    options.overwrite = true
    let report = try pruneDepth(options)
    let alone = try Self.scores(Self.evaluator(scratch.path("fewer")))
    for (unit, rise) in alone {
      let former = DepthUnit(kind: unit.kind, block: report.kept[unit.block])
      #expect(masked[former] == rise, "\(unit)")
    }
    #expect(masked[gone[0]] == 0)
  }

  @Test("a block of which one part runs scores as that part")
  func halves() throws {
    let evaluator = try Self.evaluator(DemonstrationModel.directory.path)
    for (kind, other) in [(DepthKind.attention, DepthKind.feedForward), (.feedForward, .attention)]
    {
      let scores = try Self.scores(evaluator, without: [DepthUnit(kind: other, block: 2)])
      let block = try #require(scores[DepthUnit(kind: .blocks, block: 2)])
      #expect(block > 0)
      #expect(block == scores[DepthUnit(kind: kind, block: 2)])
      #expect(scores[DepthUnit(kind: other, block: 2)] == 0)
    }
  }

  @Test("the command's scores and the pruning's choice are these")
  func choice() throws {
    let scratch = try ScratchDirectory()
    let path = DemonstrationModel.directory.path
    let own = try Self.scores(Self.evaluator(path)).filter { $0.key.kind == .blocks }
    let column = try depth(
      DepthScoreOptions(
        model: path,
        input: Self.text,
        windows: Self.windows,
        structure: DepthStructure([.blocks]),
        metrics: [.curvature],
        shapley: ShapleyChoice()
      )
    ).columns[0]
    for (block, value) in column.values.enumerated() {
      #expect(value == own[DepthUnit(kind: .blocks, block: block)])
    }
    let report = try pruneDepth(
      DepthPruneOptions(
        model: path,
        structure: DepthStructure([.blocks]),
        amount: .count(2),
        criterion: .score(.curvature),
        input: Self.text,
        windows: Self.windows,
        output: scratch.url("out")
      )
    )
    let lowest = column.values.indices.sorted { column.values[$0] < column.values[$1] }.prefix(2)
    #expect(report.kept == column.values.indices.filter { !lowest.contains($0) })
  }
}
