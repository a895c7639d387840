import Curvature
import LinearAlgebra
import Pruning
import Testing

/// Weights and factors are single precision; the costs go through products of that precision.
private let roundoff = 1e-5

@Suite("Removal costs")
struct CostTests {
  static let damping = (activations: 0.1, gradients: 0.2)

  static func settings(
    _ structure: Structure,
    _ method: Method = .surgeon
  ) throws -> PruningSettings {
    var settings = try PruningSettings(structure: structure, method: method, target: 0.25)
    settings.damping = Damping(
      activations: damping.activations,
      gradients: damping.gradients
    )
    return settings
  }

  @Test(
    "a row or column costs what the damped model loses after the best repair",
    arguments: [(3, 4, false), (4, 5, true), (1, 3, true), (5, 1, false)]
  )
  func structures(rows: Int, inputs: Int, hasBias: Bool) throws {
    let problem = try sampleProblem(7, rows: rows, inputs: inputs, hasBias: hasBias)
    let model = DenseModel(try #require(problem.factors), damping: Self.damping)
    let costs = try problem.structureCosts(Self.settings(.rowsColumns))
    let weights = problem.weights.doubles
    let width = model.columns
    #expect(costs.rows.map(\.index) == Array(0..<rows))
    #expect(costs.columns.map(\.index) == Array(0..<inputs))
    for (row, cost) in costs.rows {
      let exact = model.cost(weights, removing: Set(row * width..<(row + 1) * width))
      #expect(abs(cost - exact) <= roundoff * exact)
    }
    for (column, cost) in costs.columns {
      let exact = model.cost(weights, removing: Set((0..<rows).map { $0 * width + column }))
      #expect(abs(cost - exact) <= roundoff * exact)
    }
  }

  @Test(
    "a weight costs what the damped model loses after the best repair",
    arguments: [false, true]
  )
  func elements(hasBias: Bool) throws {
    let problem = try sampleProblem(8, rows: 4, inputs: 5, hasBias: hasBias)
    let model = DenseModel(try #require(problem.factors), damping: Self.damping)
    let costs = try problem.elementCosts(Self.settings(.element))
    for row in 0..<4 {
      for column in 0..<5 {
        let exact = model.cost(problem.weights.doubles, removing: [row * model.columns + column])
        #expect(abs(Double(costs[row, column]) - exact) <= roundoff * exact)
      }
    }
  }

  @Test("a block costs the least over its masks, jointly", arguments: ["2:4", "1:4", "3:4", "2:3"])
  func blocks(name: String) throws {
    let structure = try Structure(name)
    guard case .nm(let kept, let size) = structure else { return }
    let problem = try sampleProblem(9, rows: 3, inputs: 2 * size, hasBias: true)
    let model = DenseModel(try #require(problem.factors), damping: Self.damping)
    let blocks = try problem.blockCosts(try Self.settings(structure))
    #expect(blocks.count == 6)
    for (index, block) in blocks.enumerated() {
      let start = index / 2 * model.columns + index % 2 * size
      let exact = subsets(of: size, count: size - kept).map { set in
        model.cost(problem.weights.doubles, removing: Set(set.map { start + $0 }))
      }
      let best = try #require(exact.min())
      #expect(abs(block.cost - best) <= roundoff * best)
      let chosen = Set(block.columns.map { index / 2 * model.columns + $0 })
      let own = model.cost(problem.weights.doubles, removing: chosen)
      #expect(own <= best * (1 + roundoff))
    }
  }

  @Test("a block too large to try all masks ends where no exchange pays", arguments: [1, 2, 3])
  func largeBlocks(seed: Int) throws {
    let problem = try sampleProblem(seed, rows: 2, inputs: 16)
    let model = DenseModel(try #require(problem.factors), damping: Self.damping)
    let blocks = try problem.blockCosts(try Self.settings(.nm(kept: 8, of: 16)))
    #expect(blocks.count == 2)
    for block in blocks {
      let start = block.row * 16
      func cost(_ columns: Set<Int>) -> Double {
        model.cost(problem.weights.doubles, removing: Set(columns.map { start + $0 }))
      }
      let chosen = Set(block.columns)
      #expect(chosen.count == 8)
      #expect(abs(block.cost - cost(chosen)) <= roundoff * block.cost)
      for out in chosen {
        for other in 0..<16 where !chosen.contains(other) {
          let exchanged = chosen.subtracting([out]).union([other])
          #expect(cost(exchanged) >= block.cost * (1 - roundoff))
        }
      }
    }
  }

  @Test(
    "without repair a removal costs the undamped model's loss",
    arguments: [Method.kobd, .lobd]
  )
  func withoutRepair(method: Method) throws {
    let problem = try sampleProblem(10, rows: 3, inputs: 4, hasBias: true)
    var factors = try #require(problem.factors)
    if method == .lobd {
      factors = try KroneckerFactors(
        activations: factors.activations,
        gradients: Matrix<Double>.identity(3).narrowed()
      )
    }
    let model = DenseModel(factors, damping: (0, 0))
    func loss(_ removed: [Int]) -> Double {
      var change = [Double](repeating: 0, count: 15)
      for index in removed { change[index] = -problem.weights.doubles[index] }
      return model.loss(change)
    }
    let costs = try problem.structureCosts(Self.settings(.rowsColumns, method))
    for (row, cost) in costs.rows {
      #expect(abs(cost - loss(Array(row * 5..<row * 5 + 5))) <= roundoff * cost)
    }
    for (column, cost) in costs.columns {
      #expect(abs(cost - loss([column, 5 + column, 10 + column])) <= roundoff * cost)
    }
    let elements = try problem.elementCosts(Self.settings(.element, method))
    for index in 0..<12 {
      let (row, column) = index.quotientAndRemainder(dividingBy: 4)
      let exact = loss([row * 5 + column])
      #expect(abs(Double(elements[row, column]) - exact) <= roundoff * exact)
    }
    for block in try problem.blockCosts(Self.settings(.nm(kept: 2, of: 4), method)) {
      let exact = subsets(of: 4, count: 2).map { loss($0.map { block.row * 5 + $0 }) }.min() ?? 0
      #expect(abs(block.cost - exact) <= roundoff * exact)
    }
  }

  @Test("by magnitude a removal costs half the squared norm and needs no curvature")
  func magnitude() throws {
    let weights = Matrix<Float>(rows: 2, columns: 3, storage: [1, 2, 3, -4, 0, 2])
    let problem = try LayerProblem(
      name: "plain",
      weights: weights,
      hasBias: true,
      factors: nil,
      mask: LayerMask(outputs: 2, inputs: 2)
    )
    let costs = try problem.structureCosts(Self.settings(.rowsColumns, .magnitude))
    #expect(costs.rows.map(\.cost) == [7, 10])
    #expect(costs.columns.map(\.cost) == [8.5, 2])
    let elements = try problem.elementCosts(Self.settings(.element, .magnitude))
    #expect(elements.storage == [0.5, 2, 8, 0])
    #expect(throws: PruningError.curvatureMissing(layer: "plain", .surgeon)) {
      try problem.elementCosts(Self.settings(.element))
    }
  }

  @Test("a dead row or column costs nothing, and the others as if it were not there")
  func dead() throws {
    let problem = try sampleProblem(11, rows: 4, inputs: 4, deadRows: [1], deadColumns: [2])
    let model = DenseModel(try #require(problem.factors), damping: Self.damping)
    let costs = try problem.structureCosts(Self.settings(.rowsColumns))
    let fixed = Set((0..<16).filter { $0 / 4 == 1 || $0 % 4 == 2 })
    for (row, cost) in costs.rows {
      let removed = Set(row * 4..<row * 4 + 4).subtracting(fixed)
      let exact = model.cost(problem.weights.doubles, removing: removed, fixed: fixed)
      #expect(row == 1 ? cost == 0 : abs(cost - exact) <= roundoff * exact)
    }
    #expect(costs.columns[2].cost == 0)
    #expect(costs.columns.filter { $0.cost > 0 }.count == 3)
  }
}

/// All sets of `count` numbers below `size`.
func subsets(of size: Int, count: Int) -> [[Int]] {
  (0..<1 << size).filter { $0.nonzeroBitCount == count }.map { bits in
    (0..<size).filter { bits >> $0 & 1 == 1 }
  }
}
