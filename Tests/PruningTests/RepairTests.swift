import Curvature
import LinearAlgebra
import Pruning
import Testing

@Suite("Repair of the kept weights")
struct RepairTests {
  static let damping = Damping(activations: 0.1, gradients: 0.2)

  /// The result of repairing one layer for a given mask.
  static func repair(
    _ problem: LayerProblem,
    _ plan: LayerPlan,
    _ structure: Structure,
    damping: Damping = damping
  ) throws -> LayerOutcome {
    var settings = try PruningSettings(structure: structure, target: 0.5)
    settings.damping = damping
    settings.finalRepair = ConjugateGradientLimits(iterations: 400, tolerance: 0)
    let run = try PruningRun(store: LayersInMemory([problem]), settings: settings)
    var result: [LayerOutcome] = []
    try run.repair(PruningPlan(settings: settings, layers: [plan])) { result.append($1) }
    return try #require(result.first)
  }

  static func removedIndices(_ mask: LayerMask, width: Int) -> Set<Int> {
    var result: Set<Int> = []
    for row in 0..<mask.outputs {
      for column in 0..<width {
        let isBias = column == mask.inputs
        let isKept = isBias ? mask.keptRows[row] : mask.keeps(row: row, column: column)
        if !isKept { result.insert(row * width + column) }
      }
    }
    return result
  }

  @Test(
    "removed rows and columns are made up for exactly and jointly",
    arguments: [
      ([1], []), ([], [2]), ([0, 2], [1, 3]), ([0, 1, 2, 3], []), ([], [0, 1, 2, 3, 4]),
      ([1], [0, 1, 2, 3, 4]),
    ] as [([Int], [Int])],
    [false, true]
  )
  func structured(_ removed: ([Int], [Int]), hasBias: Bool) throws {
    let problem = try sampleProblem(3, rows: 4, inputs: 5, hasBias: hasBias)
    var plan = LayerPlan(name: "layer", mask: problem.mask)
    plan.mask.remove(rows: removed.0)
    plan.mask.remove(columns: removed.1)
    let outcome = try Self.repair(problem, plan, .rowsColumns)
    let factors = try #require(problem.factors)
    let model = DenseModel(factors, damping: (0.1, 0.2))
    let places = Self.removedIndices(plan.mask, width: model.columns)
    let exact = model.optimum(problem.weights.doubles, removed: places)
    // Solved in double precision, rounded once to single.
    #expect(distance(outcome.weights.doubles, exact) <= 4e-7)
    let undamped = DenseModel(factors, damping: (0, 0))
    let change = zip(outcome.weights.doubles, problem.weights.doubles).map { $0 - $1 }
    let loss = undamped.loss(change)
    #expect(abs(try #require(outcome.lossRepaired) - loss) <= 1e-5 * (loss + 1e-3))
  }

  @Test("a rise of the loss is the same elementwise: masked and structured repair agree")
  func agree() throws {
    let problem = try sampleProblem(4, rows: 6, inputs: 7, hasBias: true)
    var plan = LayerPlan(name: "layer", mask: problem.mask)
    plan.mask.remove(rows: [1, 4])
    plan.mask.remove(columns: [0, 5])
    let direct = try Self.repair(problem, plan, .rowsColumns)
    plan.mask.listElements()
    let iterated = try Self.repair(problem, plan, .element)
    #expect(iterated.iterations > 0 && direct.iterations == 0)
    // Conjugate gradients in single precision end near its rounding times the condition number.
    #expect(distance(direct.weights.doubles, iterated.weights.doubles) <= 1e-4)
  }

  @Test("removing one by one ends where removing all at once does")
  func oneByOne() throws {
    let problem = try sampleProblem(5, rows: 5, inputs: 6)
    let factors = try #require(problem.factors)
    let model = DenseModel(factors, damping: (0.1, 0.2))
    var weights = problem.weights.doubles
    var removed: Set<Int> = []
    for row in [0, 3] {
      removed.formUnion(row * 6..<row * 6 + 6)
      weights = model.optimum(weights, removed: removed)
    }
    var plan = LayerPlan(name: "layer", mask: problem.mask)
    plan.mask.remove(rows: [0, 3])
    let joint = try Self.repair(problem, plan, .rowsColumns)
    #expect(distance(joint.weights.doubles, weights) <= 4e-7)
  }

  @Test("masked conjugate gradients find the brute-force optimum", arguments: 1...6)
  func masked(seed: Int) throws {
    var random = Random(seed)
    let (rows, columns) = (4, 5)
    let factors = try KroneckerFactors(
      activations: random.moment(columns, hasBias: true),
      gradients: random.moment(rows)
    )
    let weights = random.matrix(rows, columns).widened()
    let removed = Set((0..<rows * columns).filter { _ in random.number() > 0 })
    var kept = Matrix<Double>(rows: rows, columns: columns, repeating: 1)
    for index in removed { kept.storage[index] = 0 }
    let added = (
      activations: [Double](repeating: 0.01, count: columns),
      gradients: [Double](repeating: 0.02, count: rows)
    )
    let repair = MaskedRepair(
      activations: factors.activations.widened(),
      gradients: factors.gradients.widened(),
      added: added,
      kept: kept
    )
    var losses: [Double] = []
    let solution = try #require(
      repair.solve(
        weights: weights,
        start: weights,
        limits: ConjugateGradientLimits(iterations: 200, tolerance: 0)
      ) { losses.append($1) }
    )
    let meanA = factors.activations.widened().diagonal.reduce(0, +) / Double(columns)
    let meanG = factors.gradients.widened().diagonal.reduce(0, +) / Double(rows)
    let model = DenseModel(factors, damping: (0.01 / meanA, 0.02 / meanG))
    let exact = model.optimum(weights.storage, removed: removed)
    #expect(distance(solution.weights.storage, exact) <= 1e-10)
    #expect(zip(losses, losses.dropFirst()).allSatisfy { $1 <= $0 })
    let loss = model.cost(weights.storage, removing: removed)
    #expect(abs(solution.losses.final - loss) <= 1e-10 * max(1, loss))
  }

  @Test("what is freed does not enter the repair of the rest")
  func freed() throws {
    let problem = try sampleProblem(6, rows: 5, inputs: 6, hasBias: true)
    var plan = LayerPlan(name: "layer", mask: problem.mask)
    plan.mask.remove(columns: [2])
    plan.free(rows: [1, 4])
    plan.free(columns: [0])
    let outcome = try Self.repair(
      problem,
      plan,
      .rowsColumns,
      damping: Damping(
        activations: 0,
        gradients: 0
      )
    )
    // The same layer without those rows and columns.
    let rows = [0, 2, 3]
    let columns = [1, 2, 3, 4, 5, 6]
    let factors = try #require(problem.factors)
    let small = DenseModel(
      try KroneckerFactors(
        activations: factors.activations.selecting(rows: columns, columns: columns),
        gradients: factors.gradients.selecting(rows: rows, columns: rows)
      ),
      damping: (0, 0)
    )
    let part = problem.weights.selecting(rows: rows, columns: columns).doubles
    let exact = small.optimum(part, removed: [1, 7, 13])
    let found = outcome.weights.selecting(rows: rows, columns: columns).doubles
    #expect(distance(found, exact) <= 1e-5)
    #expect([1, 4].allSatisfy { row in (0..<7).allSatisfy { outcome.weights[row, $0] == 0 } })
  }

  @Test("a repair never raises the predicted loss above that of zeroing", arguments: 1...4)
  func helps(seed: Int) throws {
    let problem = try sampleProblem(seed, rows: 12, inputs: 16, hasBias: true)
    for structure in [Structure.element, .rowsColumns, .nm(kept: 2, of: 4)] {
      var settings = try PruningSettings(structure: structure, target: 0.5)
      settings.damping = Damping(activations: 0.001, gradients: 0.001)
      let outcome = try #require(try prune([problem], settings).outcomes.first)
      let zeroed = try #require(outcome.lossZeroedOnly)
      #expect(try #require(outcome.lossRepaired) < zeroed)
    }
  }

  @Test("a singular factor is damped more, and the outcome says so")
  func singular() throws {
    var random = Random(12)
    let problem = try LayerProblem(
      name: "thin",
      weights: random.matrix(6, 8),
      hasBias: false,
      factors: KroneckerFactors(
        activations: Matrix(rows: 8, columns: 8, repeating: 1),
        gradients: random.moment(6)
      ),
      mask: LayerMask(outputs: 6, inputs: 8)
    )
    var plan = LayerPlan(name: "thin", mask: problem.mask)
    plan.mask.remove(columns: [3])
    let none = Damping(activations: 0, gradients: 0)
    let outcome = try Self.repair(problem, plan, .columns, damping: none)
    #expect(outcome.timesDampingRaised > 0)
    #expect(outcome.weights.isFinite)
    // All inputs are the same: the others take over the removed column's weight without loss.
    let zeroed = try #require(outcome.lossZeroedOnly)
    #expect(try #require(outcome.lossRepaired) <= 1e-6 * zeroed)
  }
}
