import Curvature
import LinearAlgebra
import Pruning
import Testing

/// A measure that is no sum over heads and neurons, and stays the same over some of them.
private struct Stairs: WidthMeasure {
  let name = "stairs"
  let constant = 11.0

  func value(of widths: BlockWidths, block: Int) -> Double {
    let tiles = Double((widths.neurons + 2) / 3)
    return Double(block + 1) * tiles * 5 + Double(widths.heads * widths.keyValueHeads) + tiles
  }
}

@Suite("Choice of neurons and heads")
struct UnitChoiceTests {
  /// The units that a plan keeps of each part.
  private func kept(_ plan: PruningPlan, _ sample: UnitSample) -> [[Int]] {
    sample.model.parts.map { part in
      (0..<part.count).filter { unit in
        part.columns(of: unit).contains { plan.layers[part.reader].mask.keptColumns[$0] }
      }
    }
  }

  @Test("removed units are zero in every layer, and no repair touches what wrote them")
  func coupled() throws {
    for isQuery in [false, true] {
      let sample = try UnitSample([9, 9], isQuery: isQuery)
      let (plan, outcomes, _) = try sample.pruned(unitSettings(), sample.removing(0.4))
      for (part, units) in zip(sample.model.parts, kept(plan, sample)) {
        #expect(units.count < part.count && !units.isEmpty)
        for unit in 0..<part.count where !units.contains(unit) {
          for column in part.columns(of: unit) {
            #expect((0..<4).allSatisfy { outcomes[part.reader].weights[$0, column] == 0 })
          }
        }
        for writer in part.writers {
          let (old, new) = (sample.problems[writer.layer].weights, outcomes[writer.layer].weights)
          for unit in 0..<part.count {
            for row in writer.rows(of: unit) {
              for column in 0..<old.columns {
                #expect(new[row, column] == (units.contains(unit) ? old[row, column] : 0))
              }
            }
          }
        }
      }
    }
  }

  @Test("what is left of a reader is the exact optimum, and costs what was predicted")
  func repair() throws {
    let sample = try UnitSample([6, 6], seed: 2)
    let (plan, outcomes, _) = try sample.pruned(unitSettings(), sample.removing(0.4))
    for (part, units) in zip(sample.model.parts, kept(plan, sample)) {
      let problem = sample.problems[part.reader]
      let model = DenseModel(
        try #require(problem.factors),
        damping: (activations: 0.1, gradients: 0.2)
      )
      let lost = (0..<part.count).filter { !units.contains($0) }.flatMap {
        Array(part.columns(of: $0))
      }
      let removed = Set((0..<4).flatMap { row in lost.map { row * model.columns + $0 } })
      let exact = model.optimum(problem.weights.doubles, removed: removed)
      #expect(distance(outcomes[part.reader].weights.doubles, exact) <= 1e-5)
      let cost = model.cost(problem.weights.doubles, removing: removed)
      #expect(abs(plan.layers[part.reader].predictedCost - cost) <= 1e-5 * cost)
    }
  }

  @Test("the goal is met, and no part could keep one unit more", arguments: [0.1, 0.25, 0.5, 0.7])
  func global(share: Double) throws {
    let sample = try UnitSample([9, 12, 7], seed: 3)
    let stairs = Stairs()
    let half = WidthGoal(
      stairs,
      atMost: 11 + (stairs.value(of: sample.model.widths) - 11) * (1 - share)
    )
    for goal in [sample.removing(share), half] {
      let (_, _, widths) = try sample.pruned(unitSettings(), goal)
      #expect(goal.measure.value(of: widths) <= goal.most)
      for block in widths.indices {
        var (heads, neurons) = (widths, widths)
        heads[block].heads += 2
        heads[block].keyValueHeads += 1
        neurons[block].neurons += 1
        if widths[block].keyValueHeads < 3 { #expect(goal.measure.value(of: heads) > goal.most) }
        if widths[block].neurons < sample.model.widths[block].neurons {
          #expect(goal.measure.value(of: neurons) > goal.most)
        }
      }
    }
  }

  @Test("the same widths everywhere: of all pairs of numbers the one with the least loss")
  func uniform() throws {
    let sample = try UnitSample([10, 10, 10], heads: (4, 1, 2), seed: 4)
    let settings = try unitSettings(allocation: .uniform)
    let paths = try sample.model.parts.indices.map { try sample.path(ofPart: $0, settings) }
    for goal in [sample.removing(0.2), sample.removing(0.55), WidthGoal(Stairs(), atMost: 80)] {
      let (plan, _, widths) = try sample.pruned(settings, goal)
      #expect(Set(widths).count == 1)
      #expect(goal.measure.value(of: widths) <= goal.most)
      var least = Double.infinity
      for heads in 1...4 {
        for neurons in 1...10 {
          let pair = BlockWidths(heads: heads, keyValueHeads: heads, neurons: neurons)
          guard goal.measure.value(of: [pair, pair, pair]) <= goal.most else { continue }
          let loss = sample.model.parts.indices.reduce(0) { sum, index in
            let isHead = sample.model.parts[index].kind == .heads
            return sum + paths[index].losses[isHead ? 4 - heads : 10 - neurons]
          }
          least = min(least, loss)
        }
      }
      let total = plan.layers.reduce(0) { $0 + $1.predictedCost }
      #expect(abs(total - least) <= 1e-9 * least)
    }
  }

  @Test("costs that rise along each path are removed in the order of a sort by cost per weight")
  func order() throws {
    let sample = try UnitSample([12, 12], seed: 5)
    let settings = try unitSettings([.neurons], .kobd)
    let (plan, _, widths) = try sample.pruned(settings, sample.removing(0.3))
    let costs = try [1, 3].map { index in
      try (0..<12).map { try sample.path(ofPart: index, settings, kept: [$0]).losses[1] }
    }
    let gone = 24 - widths.reduce(0) { $0 + $1.neurons }
    let cheapest = (0..<24).sorted { costs[$0 / 12][$0 % 12] < costs[$1 / 12][$1 % 12] }
    let left = Set(cheapest.dropFirst(gone))
    #expect(gone > 5)
    let units = kept(plan, sample)
    #expect(units[1] == (0..<12).filter { left.contains($0) })
    #expect(units[3] == (0..<12).filter { left.contains($0 + 12) })
    #expect(units[0].count == 3 && units[2].count == 3)
  }

  @Test("constraints are kept", arguments: [Allocation.global, .uniform])
  func constraints(allocation: Allocation) throws {
    let sample = try UnitSample([16, 16, 16, 16], heads: (4, 2, 2), seed: 6)
    var settings = try unitSettings(allocation: allocation)
    settings.constraints = UnitConstraints(
      neuronMultiple: 3,
      headMultiple: 2,
      keepFirst: allocation == .global ? 1 : 0,
      keepLast: allocation == .global ? 1 : 0,
      largestShare: 0.6
    )
    let goal = sample.removing(0.2)
    let widths = try sample.pruned(settings, goal).widths
    #expect(goal.measure.value(of: widths) <= goal.most)
    for (block, width) in widths.enumerated() {
      #expect(width.neurons == 16 || (width.neurons % 3 == 0 && width.neurons >= 7))
      #expect(width.keyValueHeads % 2 == 0 && width.keyValueHeads >= 2)
      if allocation == .global && (block == 0 || block == 3) {
        #expect(width == sample.model.widths[block])
      }
    }
  }

  @Test(
    "a goal out of reach names the nearest that is not",
    arguments: [Allocation.global, .uniform]
  )
  func outOfReach(allocation: Allocation) throws {
    let sample = try UnitSample([4, 4], heads: (2, 1, 2))
    // One neuron and one head are left of each block: 8 + 32 of 96 weights.
    let error = PruningError.goalOutOfReach(name: "weights", most: 29, nearest: 80)
    #expect(throws: error) {
      try sample.pruned(unitSettings(allocation: allocation), sample.removing(0.85))
    }
    let goal = WidthGoal(sample.weights, atMost: 80)
    let widths = try sample.pruned(unitSettings(allocation: allocation), goal).widths
    #expect(widths.allSatisfy { $0.neurons == 1 && $0.keyValueHeads == 1 })
  }

  @Test("zeros that are there already count, and take the rest of their unit with them")
  func zeros() throws {
    var sample = try UnitSample([5])
    for (layer, rows, columns) in [(5, [], [1]), (4, [3], []), (2, [4, 5], [])]
      as [(Int, [Int], [Int])]
    {
      let old = sample.problems[layer]
      var mask = old.mask
      mask.remove(rows: rows)
      mask.remove(columns: columns)
      sample.problems[layer] = try LayerProblem(
        name: old.name,
        weights: old.weights,
        hasBias: true,
        factors: old.factors,
        mask: mask
      )
    }
    let goal = WidthGoal(sample.weights, atMost: 1000)
    let (plan, _, widths) = try sample.pruned(unitSettings(), goal)
    #expect(widths == [BlockWidths(heads: 4, keyValueHeads: 2, neurons: 3)])
    #expect(kept(plan, sample) == [[0, 1], [0, 2, 4]])
    #expect(plan.layers[4].mask.keptRows.indices == [0, 2, 4])
    #expect(plan.layers[0].mask.keptRows.indices == Array(0..<8))
    #expect(plan.layers[1].mask.keptRows.indices == Array(0..<4))
    #expect(plan.layers.allSatisfy { $0.predictedCost == 0 })
  }

  @Test("what one calibration removed stays removed in the next, on any number of threads")
  func shots() throws {
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    var results: [[Matrix<Float>]] = []
    for threads in [1, 4] {
      Parallelism.threads = threads
      var sample = try UnitSample([70, 70], heads: (4, 2, 8))
      let start = sample.weights.value(of: sample.model.widths)
      var last = sample.model.widths
      for progress in [0.5, 1] {
        let goal = sample.removing(0.5).eased(from: start, progress: progress)
        let (_, outcomes, widths) = try sample.pruned(unitSettings(allocation: .uniform), goal)
        #expect(goal.measure.value(of: widths) <= goal.most)
        #expect(zip(widths, last).allSatisfy { $0.heads <= $1.heads && $0.neurons < $1.neurons })
        last = widths
        sample.problems = try zip(sample.problems, outcomes).map { problem, outcome in
          try LayerProblem(
            name: problem.name,
            weights: outcome.weights,
            hasBias: true,
            factors: problem.factors,
            mask: outcome.mask
          )
        }
      }
      results.append(sample.problems.map(\.weights))
    }
    #expect(results[0] == results[1])
  }

  @Test("with method activation the mean output stays what it was")
  func activation() throws {
    let sample = try UnitSample([8], seed: 7)
    let (_, outcomes, _) = try sample.pruned(
      unitSettings([.neurons], .activation),
      sample.removing(0.2)
    )
    let (old, new) = (sample.problems[5].weights, outcomes[5].weights)
    let moment = try #require(sample.problems[5].factors).activations
    for row in 0..<4 {
      let change = (0..<9).reduce(0) {
        $0 + Double(new[row, $1] - old[row, $1]) * Double(moment[$1, 8])
      }
      #expect(abs(change) <= 1e-6)
    }
    #expect(old.storage != new.storage)
    let plain = try sampleProblem(3, rows: 2, inputs: 4, name: "o_proj")
    let part = UnitPart(kind: .neurons, block: 0, count: 4, reader: (0, 1), writers: [])
    #expect(throws: PruningError.meansUnknown(layer: "o_proj")) {
      try UnitPass(
        part,
        kept: [0, 1],
        depth: 1,
        plans: [LayerPlan(name: "o_proj", mask: plain.mask)],
        settings: unitSettings([.neurons], .activation)
      ).path(LayersInMemory([plain]))
    }
  }

  @Test("units that do not fit the layers are refused by name")
  func misfit() throws {
    let sample = try UnitSample([5])
    var wrong = sample
    wrong.model = UnitModel(
      parts: [UnitPart(kind: .neurons, block: 0, count: 4, reader: (5, 1), writers: [])],
      widths: sample.model.widths
    )
    #expect(throws: PruningError.unitsDoNotFit(layer: "block 0 layer 5")) {
      try wrong.pruned(unitSettings(), sample.removing(0.2))
    }
    #expect(throws: PruningError.unitsMissing(.units([.heads]))) {
      try prune(sample.problems, unitSettings([.heads]))
    }
  }
}
