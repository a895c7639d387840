import Curvature
import LinearAlgebra
import Pruning
import Testing

@Suite("Choice of what to remove")
struct ChoiceTests {
  /// Layers of small whole numbers: many equal costs.
  static func ties(_ seed: Int, shapes: [(Int, Int)]) throws -> [LayerProblem] {
    var random = Random(seed)
    return try shapes.enumerated().map { place, shape in
      let entries = (0..<shape.0 * shape.1).map { _ in Float(Int(random.next() % 7) - 3) }
      return try LayerProblem(
        name: "layer \(place)",
        weights: Matrix(rows: shape.0, columns: shape.1, storage: entries),
        hasBias: false,
        factors: nil,
        mask: LayerMask(outputs: shape.0, inputs: shape.1)
      )
    }
  }

  @Test("removes the cheapest weights, ties by layer and index, as a sort would", arguments: 1...8)
  func elements(seed: Int) throws {
    let problems = try Self.ties(seed, shapes: [(3, 5), (1, 1), (7, 4), (2, 9)])
    let total = problems.reduce(0) { $0 + $1.mask.weightCount }
    var settings = try PruningSettings(
      structure: .element,
      method: .magnitude,
      target: Double(seed) / 9
    )
    settings.steps = 1
    let plan = try prune(problems, settings).plan
    let count = Int((Double(seed) / 9 * Double(total)).rounded())
    #expect(plan.layers.reduce(0) { $0 + $1.mask.removedWeights } == count)
    var all: [(cost: Float, layer: Int, index: Int)] = []
    for (layer, problem) in problems.enumerated() {
      for (index, weight) in problem.weights.storage.enumerated() {
        all.append((weight * weight, layer, index))
      }
    }
    all.sort { $0 < $1 }
    for (place, entry) in all.enumerated() {
      let mask = plan.layers[entry.layer].mask
      let (row, column) = entry.index.quotientAndRemainder(dividingBy: mask.inputs)
      #expect(mask.keeps(row: row, column: column) == (place >= count))
    }
  }

  @Test("removes exactly the number asked for, with any method and in any number of steps")
  func counts() throws {
    let problems = try (1...3).map {
      try sampleProblem($0, rows: 4 + $0, inputs: 8, hasBias: $0 == 2)
    }
    let total = problems.reduce(0) { $0 + $1.mask.weightCount }
    for method in Method.allCases where method != .activation && !method.isLayerLocal {
      for (steps, target) in [(1, 0.13), (4, 0.5), (3, 0.87)] {
        var settings = try PruningSettings(structure: .element, method: method, target: target)
        settings.steps = steps
        let (plan, outcomes) = try prune(problems, settings)
        let removed = plan.layers.reduce(0) { $0 + $1.mask.removedWeights }
        #expect(removed == Int((target * Double(total)).rounded()))
        for outcome in outcomes { expectZeros(outcome) }
      }
    }
  }

  @Test(
    "meets a structured target and passes it by less than the last structure",
    arguments: 1...6,
    [Structure.rowsColumns, .rows, .columns]
  )
  func structured(seed: Int, structure: Structure) throws {
    let problems = try (0..<3).map { layer in
      try sampleProblem(10 * seed + layer, rows: 5 + layer, inputs: 9 - layer, hasBias: layer == 1)
    }
    let total = problems.reduce(0) { $0 + $1.mask.weightCount }
    for order in Order.allCases {
      for target in [0.05, 0.31, 0.5, 0.77, 0.99] {
        var settings = try PruningSettings(structure: structure, target: target)
        settings.order = order
        settings.steps = 1 + seed % 3
        let (plan, outcomes) = try prune(problems, settings)
        let removed = plan.layers.reduce(0) { $0 + $1.mask.removedWeights }
        let wanted = Int((target * Double(total)).rounded())
        #expect(removed >= wanted)
        #expect(removed - wanted < 9)
        #expect(plan.layers.allSatisfy { $0.mask.isStructured })
        for outcome in outcomes { expectZeros(outcome) }
      }
    }
  }

  @Test("one step removes rows and columns in the order of a sort by cost per weight")
  func structuredOrder() throws {
    let problems = try Self.ties(5, shapes: [(4, 6), (5, 3)])
    var settings = try PruningSettings(structure: .rowsColumns, method: .magnitude, target: 0.4)
    settings.steps = 1
    let plan = try prune(problems, settings).plan
    var entries: [(key: Double, place: Int, layer: Int, isRow: Bool, index: Int)] = []
    for (layer, problem) in problems.enumerated() {
      let w = problem.weights
      for row in 0..<w.rows {
        let cost = (0..<w.columns).reduce(0.0) { $0 + Double(w[row, $1] * w[row, $1]) / 2 }
        entries.append((cost / Double(w.columns), entries.count, layer, true, row))
      }
      for column in 0..<w.columns {
        let cost = (0..<w.rows).reduce(0.0) { $0 + Double(w[$1, column] * w[$1, column]) / 2 }
        entries.append((cost / Double(w.rows), entries.count, layer, false, column))
      }
    }
    entries.sort { ($0.key, $0.place) < ($1.key, $1.place) }
    var masks = problems.map(\.mask)
    for entry in entries {
      if masks.reduce(0, { $0 + $1.removedWeights }) >= 16 { break }
      if entry.isRow { masks[entry.layer].remove(rows: [entry.index]) }
      if !entry.isRow { masks[entry.layer].remove(columns: [entry.index]) }
    }
    #expect(plan.layers.map(\.mask) == masks)
  }

  @Test("a uniform allocation takes the same share of every layer")
  func uniform() throws {
    let problems = try (1...4).map { try sampleProblem($0, rows: 6, inputs: 4 * $0) }
    for structure in [Structure.element, .nm(kept: 2, of: 4), .rowsColumns] {
      var settings = try PruningSettings(structure: structure, target: 0.25)
      settings.allocation = .uniform
      settings.steps = 2
      let plan = try prune(problems, settings).plan
      for (layer, problem) in zip(plan.layers, problems) {
        let wanted = problem.mask.weightCount / 4
        let slack = structure == .element ? 0 : structure.isStructured ? 16 : 1
        #expect(layer.mask.removedWeights >= wanted)
        #expect(layer.mask.removedWeights <= wanted + slack)
      }
    }
  }

  @Test(
    "every aligned block has its zeros, with and without dead inputs, bias, and earlier removals",
    arguments: ["2:4", "1:4", "4:8", "1:2", "8:16"]
  )
  func blocks(name: String) throws {
    let structure = try Structure(name)
    guard case .nm(let kept, let size) = structure else { return }
    for hasBias in [false, true] {
      for dead in [[], [1, 2, 3, 16, 20, 21, 22, 23]] as [Set<Int>] {
        let sample = try sampleProblem(
          21,
          rows: 7,
          inputs: 32,
          hasBias: hasBias,
          deadRows: [2],
          deadColumns: dead
        )
        var mask = sample.mask
        mask.remove(columns: [5])
        mask.removeElement(row: 0, column: 8)
        mask.removeElement(row: 0, column: 9)
        let problem = try LayerProblem(
          name: "layer",
          weights: sample.weights,
          hasBias: hasBias,
          factors: sample.factors,
          mask: mask
        )
        for method in Method.allCases where method != .activation && !method.isLayerLocal {
          let settings = try PruningSettings(structure: structure, method: method)
          let outcome = try #require(try prune([problem], settings).outcomes.first)
          for row in 0..<7 {
            for start in stride(from: 0, to: 32, by: size) {
              let zeros = (start..<start + size).filter { outcome.weights[row, $0] == 0 }.count
              #expect(zeros >= size - kept)
            }
          }
          #expect(!outcome.mask.keptColumns[5] && outcome.weights[0, 8] == 0)
        }
      }
    }
  }

  @Test("half of the blocks go first for half of the target, and the count is exact")
  func partialBlocks() throws {
    let problems = try (1...2).map { try sampleProblem($0, rows: 5, inputs: 8) }
    let settings = try PruningSettings(structure: .nm(kept: 2, of: 4), target: 0.25)
    let plan = try prune(problems, settings).plan
    #expect(plan.layers.reduce(0) { $0 + $1.mask.removedWeights } == 20)
    for layer in plan.layers {
      for row in 0..<5 {
        for start in [0, 4] {
          let lost = (start..<start + 4).filter { !layer.mask.keeps(row: row, column: $0) }.count
          #expect(lost == 0 || lost == 2)
        }
      }
    }
  }

  @Test("blocks that do not fit a layer are refused with its name")
  func misfit() throws {
    let problem = try sampleProblem(1, rows: 2, inputs: 6, name: "q_proj")
    let settings = try PruningSettings(structure: .nm(kept: 2, of: 4))
    #expect(throws: PruningError.blocksDoNotFit(layer: "q_proj", inputs: 6, block: 4)) {
      try PruningRun(store: LayersInMemory([problem]), settings: settings)
    }
  }

  /// Removed weights are zero, and no bias is lost but with its row.
  private func expectZeros(_ outcome: LayerOutcome) {
    for row in 0..<outcome.mask.outputs {
      for column in 0..<outcome.mask.inputs where !outcome.mask.keeps(row: row, column: column) {
        #expect(outcome.weights[row, column] == 0)
      }
    }
  }
}
