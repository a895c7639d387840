import Curvature
import LinearAlgebra
import Pruning
import Testing

@Suite("Consequences of removals")
struct ConsequenceTests {
  /// Two layers, the second fed by the first: row i of one with column i of the other.
  static func chain(_ width: Int) throws -> (problems: [LayerProblem], rules: [Consequence]) {
    let problems = [
      try sampleProblem(1, rows: width, inputs: 6, hasBias: true, name: "up"),
      try sampleProblem(2, rows: 5, inputs: width, hasBias: true, name: "down"),
    ]
    let rules = (0..<width).flatMap { index -> [Consequence] in
      let row = StructureID(layer: 0, axis: .row, index: index)
      let column = StructureID(layer: 1, axis: .column, index: index)
      return [
        Consequence(causes: [row], freed: [column]), Consequence(causes: [column], freed: [row]),
      ]
    }
    return (problems, rules)
  }

  @Test("coupled rows and columns go together, and the target counts both")
  func coupled() throws {
    let (problems, rules) = try Self.chain(8)
    let settings = try PruningSettings(structure: .rowsColumns, target: 0.5)
    let (plan, outcomes) = try prune(problems, settings, consequences: rules)
    let (up, down) = (plan.layers[0], plan.layers[1])
    #expect(up.mask.keptRows == down.mask.keptColumns)
    for index in 0..<8 where !up.mask.keptRows[index] {
      #expect(up.freedRows[index] != down.freedColumns[index])
      #expect((0..<7).allSatisfy { outcomes[0].weights[index, $0] == 0 })
    }
    let removed = up.mask.removedWeights + down.mask.removedWeights
    #expect(removed >= 44 && removed < 44 + 11)
  }

  @Test("nothing is free before all of its causes are removed")
  func conjunction() throws {
    let problems = try [3, 4].map { try sampleProblem($0, rows: 4, inputs: 4) }
    let causes = (0..<4).map { StructureID(layer: 0, axis: .column, index: $0) }
    let rule = Consequence(
      causes: causes,
      freed: [StructureID(layer: 1, axis: .row, index: 2)]
    )
    for target in stride(from: 0.1, to: 1, by: 0.1) {
      var settings = try PruningSettings(structure: .columns, target: target)
      settings.steps = 1
      let plan = try prune(problems, settings, consequences: [rule]).plan
      let isEmpty = plan.layers[0].mask.keptColumns.population == 0
      #expect(plan.layers[1].freedRows[2] == isEmpty)
    }
  }

  @Test("what earlier calibrations removed has its consequences at once")
  func earlier() throws {
    let (problems, rules) = try Self.chain(4)
    var mask = problems[0].mask
    mask.remove(rows: [3])
    let first = try LayerProblem(
      name: "up",
      weights: problems[0].weights,
      hasBias: true,
      factors: problems[0].factors,
      mask: mask
    )
    let settings = try PruningSettings(structure: .rowsColumns, target: 0.1)
    let plan = try prune([first, problems[1]], settings, consequences: rules).plan
    #expect(plan.layers[1].freedColumns[3] && !plan.layers[1].mask.keptColumns[3])
  }

  @Test("what costs had removed is made up for once, by the layer that lost the last cause")
  func removedBefore() throws {
    func problem(_ seed: Int, _ name: String, scales: [Float]) throws -> LayerProblem {
      let sample = try sampleProblem(seed, rows: 4, inputs: 5, name: name)
      var weights = sample.weights
      for row in 0..<4 { for column in 0..<5 { weights[row, column] *= scales[row] } }
      return try LayerProblem(
        name: name,
        weights: weights,
        hasBias: false,
        factors: sample.factors,
        mask: sample.mask
      )
    }
    // Rows 0 and 1 of both layers are a pair, as rotary embeddings make them.
    let problems = [
      try problem(1, "queries", scales: [0.02, 0.03, 10, 10]),
      try problem(2, "keys", scales: [0.001, 10, 10, 10]),
    ]
    let pairs = (0..<2).map { layer in
      (0..<2).map { StructureID(layer: layer, axis: .row, index: $0) }
    }
    let rules = [
      Consequence(causes: pairs[0], freed: pairs[1]),
      Consequence(causes: pairs[1], freed: pairs[0]),
    ]
    var settings = try PruningSettings(structure: .rows, target: 0.5)
    settings.steps = 1
    let plan = try prune(problems, settings, consequences: rules).plan
    for layer in plan.layers { #expect(layer.mask.keptRows.indices == [2, 3]) }
    #expect(plan.layers[0].freedRows.population == 0)
    #expect(plan.layers[1].freedRows.indices == [0, 1])
  }

  @Test("a consequence that names nothing is refused")
  func unknown() throws {
    let (problems, _) = try Self.chain(2)
    let rule = Consequence(causes: [StructureID(layer: 0, axis: .row, index: 2)], freed: [])
    #expect(throws: PruningError.noSuchStructure(layer: 0, index: 2)) {
      try PruningRun(
        store: LayersInMemory(problems),
        settings: PruningSettings(structure: .rows, target: 0.5),
        consequences: [rule]
      )
    }
  }
}
