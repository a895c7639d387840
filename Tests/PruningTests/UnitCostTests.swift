import Curvature
import LinearAlgebra
import Pruning
import Testing

/// Weights and factors are single precision, all that follows is double.
private let roundoff = 1e-6

@Suite("Costs of neurons and heads")
struct UnitCostTests {
  private func dense(_ problem: LayerProblem) throws -> DenseModel {
    DenseModel(try #require(problem.factors), damping: (activations: 0.1, gradients: 0.2))
  }

  @Test("a unit costs what the damped model loses after the best repair", arguments: [0, 1])
  func single(index: Int) throws {
    let sample = try UnitSample([5])
    let part = sample.model.parts[index]
    let problem = sample.problems[part.reader]
    let model = try dense(problem)
    for unit in 0..<part.count {
      let path = try sample.path(ofPart: index, unitSettings(), kept: [unit])
      let exact = model.cost(problem.weights.doubles, removingColumns: part.columns(of: unit))
      #expect(path.units == [unit])
      #expect(abs(path.losses[1] - exact) <= roundoff * exact)
    }
  }

  @Test(
    "the losses on the way are those of all that is removed so far together",
    arguments: [0, 1]
  )
  func joint(index: Int) throws {
    let sample = try UnitSample([6], seed: 2)
    let part = sample.model.parts[index]
    let problem = sample.problems[part.reader]
    let model = try dense(problem)
    let path = try sample.path(ofPart: index, unitSettings())
    for count in 1...part.count {
      let lost = path.units.prefix(count).flatMap { Array(part.columns(of: $0)) }
      let exact = model.cost(problem.weights.doubles, removingColumns: lost)
      #expect(abs(path.losses[count] - exact) <= roundoff * exact)
    }
  }

  @Test("each unit on the way is the one that brute force finds cheapest next", arguments: 1...6)
  func greedy(seed: Int) throws {
    let sample = try UnitSample([7], heads: (4, 2, 2), seed: seed)
    for (index, part) in sample.model.parts.enumerated() {
      let problem = sample.problems[part.reader]
      let model = try dense(problem)
      var left = Array(0..<part.count)
      var lost: [Int] = []
      for unit in try sample.path(ofPart: index, unitSettings()).units {
        let costs = left.map { candidate in
          model.cost(
            problem.weights.doubles,
            removingColumns: lost + Array(part.columns(of: candidate))
          )
        }
        let least = try #require(costs.indices.min { costs[$0] < costs[$1] })
        #expect(left[least] == unit)
        lost += Array(part.columns(of: unit))
        left.remove(at: least)
      }
      #expect(left.isEmpty)
    }
  }

  @Test("no set of the same size that brute force tries costs less than half of the path's")
  func allSubsets() throws {
    let sample = try UnitSample([8], seed: 3)
    let part = sample.model.parts[1]
    let problem = sample.problems[part.reader]
    let model = try dense(problem)
    let path = try sample.path(ofPart: 1, unitSettings())
    var best = [Double](repeating: .infinity, count: 9)
    for set in 1..<256 {
      let lost = (0..<8).filter { set >> $0 & 1 == 1 }
      let cost = model.cost(problem.weights.doubles, removingColumns: lost)
      best[lost.count] = min(best[lost.count], cost)
    }
    for count in 1...8 {
      #expect(path.losses[count] >= best[count] * (1 - roundoff))
      #expect(path.losses[count] <= best[count] * 2)
    }
    #expect(abs(path.losses[1] - best[1]) <= roundoff * best[1])
  }

  @Test("hundreds of removals in a row stay exact")
  func long() throws {
    let problem = try sampleProblem(9, rows: 2, inputs: 150, hasBias: true)
    let part = UnitPart(kind: .neurons, block: 0, count: 150, reader: (0, 1), writers: [])
    let plans = [LayerPlan(name: problem.name, mask: problem.mask)]
    let path = try UnitPass(
      part,
      kept: Array(0..<150),
      depth: 149,
      plans: plans,
      settings: unitSettings()
    ).path(LayersInMemory([problem]))
    let model = try dense(problem)
    for count in [1, 63, 64, 65, 128, 149] {
      let lost = path.units.prefix(count)
      let exact = model.cost(problem.weights.doubles, removingColumns: lost)
      #expect(abs(path.losses[count] - exact) <= roundoff * exact)
    }
  }

  @Test("priced once, units go in the order of their costs alone")
  func ranking() throws {
    let sample = try UnitSample([9], seed: 4)
    var settings = try unitSettings()
    settings.steps = 1
    let single = try (0..<9).map { try sample.path(ofPart: 1, settings, kept: [$0]).losses[1] }
    let order = (0..<9).sorted { (single[$0], $0) < (single[$1], $1) }
    let path = try sample.path(ofPart: 1, settings)
    #expect(path.units == order)
    let exact = try sample.path(ofPart: 1, unitSettings())
    #expect(abs(path.losses[9] - exact.losses[9]) <= roundoff * exact.losses[9])
  }

  @Test("query heads go in turns, one from each group")
  func turns() throws {
    let sample = try UnitSample([2], heads: (3, 4, 2), isQuery: true, seed: 5)
    let path = try sample.path(ofPart: 0, unitSettings())
    for round in 0..<4 {
      let groups = path.units[3 * round..<3 * round + 3].map { $0 / 4 }
      #expect(Set(groups) == [0, 1, 2])
    }
  }

  @Test("costs without repair are their formulas", arguments: [0, 1])
  func plain(index: Int) throws {
    let sample = try UnitSample([4], seed: 6)
    let part = sample.model.parts[index]
    let problem = sample.problems[part.reader]
    let factors = try #require(problem.factors)
    let (a, g, w) = (factors.activations, factors.gradients, problem.weights)
    let bias = problem.mask.inputs
    func sum(_ unit: Int, _ term: (Int, Int, Int, Int) -> Double) -> Double {
      let columns = part.columns(of: unit)
      var total = 0.0
      for r in 0..<w.rows {
        for s in 0..<w.rows {
          for c in columns {
            for d in columns { total += Double(w[r, c] * w[s, d]) * term(r, s, c, d) / 2 }
          }
        }
      }
      return total
    }
    for unit in 0..<part.count {
      func cost(_ method: Method) throws -> Double {
        try sample.path(ofPart: index, unitSettings([part.kind], method), kept: [unit]).losses[1]
      }
      let kobd = sum(unit) { Double(g[$0, $1]) * Double(a[$2, $3]) }
      #expect(abs(try cost(.kobd) - kobd) <= 1e-5 * kobd)
      let lobd = sum(unit) { $0 == $1 ? Double(a[$2, $3]) : 0 }
      #expect(abs(try cost(.lobd) - lobd) <= 1e-5 * lobd)
      let activation = sum(unit) { r, s, c, d in
        r == s && c == d ? Double(a[c, c]) - Double(a[c, bias]) * Double(a[c, bias]) : 0
      }
      #expect(abs(try cost(.activation) - activation) <= 1e-5 * activation)
      var norm = sum(unit) { $0 == $1 && $2 == $3 ? 1 : 0 }
      for writer in part.writers {
        let weights = sample.problems[writer.layer].weights
        for row in writer.rows(of: unit) {
          for column in 0..<weights.columns {
            norm += Double(weights[row, column]) * Double(weights[row, column]) / 2
          }
        }
      }
      #expect(abs(try cost(.magnitude) - norm) <= 1e-5 * norm)
    }
  }
}
