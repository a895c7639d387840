import Curvature
import LinearAlgebra
import Pruning
import Testing

@Suite("Repair for inputs that drifted")
struct DriftedInputsTests {
  /// What a layer of five inputs read, and what it reads now; one token a row, without a bias's 1.
  private static let samples: (old: Matrix<Float>, new: Matrix<Float>) = {
    var random = Random(8)
    let old = random.matrix(40, 5)
    var new = old
    let noise = random.matrix(40, 5)
    for index in new.storage.indices { new.storage[index] += 0.4 * noise.storage[index] }
    // An input that is never anything else than zero any more.
    for row in 0..<40 { new[row, 3] = 0 }
    return (old, new)
  }()

  /// The mean over tokens of `left rightᵀ`, each with a 1 appended if asked for.
  private static func mean(
    _ left: Matrix<Float>,
    _ right: Matrix<Float>,
    ones: (left: Bool, right: Bool)
  ) -> Matrix<Double> {
    func sample(_ matrix: Matrix<Float>, _ row: Int, _ one: Bool) -> [Double] {
      (0..<matrix.columns).map { Double(matrix[row, $0]) } + (one ? [1] : [])
    }
    let rows = left.columns + (ones.left ? 1 : 0)
    var result = Matrix<Double>(rows: rows, columns: right.columns + (ones.right ? 1 : 0))
    for token in 0..<left.rows {
      let (x, y) = (sample(left, token, ones.left), sample(right, token, ones.right))
      for i in x.indices {
        for j in y.indices { result[i, j] += x[i] * y[j] / Double(left.rows) }
      }
    }
    return result
  }

  private static func inputs(hasBias: Bool) -> DriftedInputs {
    let (old, new) = samples
    var gap = old
    for index in gap.storage.indices { gap.storage[index] -= new.storage[index] }
    return DriftedInputs(
      activations: mean(new, new, ones: (hasBias, hasBias)).narrowed(),
      drift: mean(gap, new, ones: (false, hasBias)).narrowed()
    )
  }

  private static func repair(
    _ problem: LayerProblem,
    _ plan: LayerPlan,
    _ structure: Structure,
    reading inputs: DriftedInputs
  ) throws -> LayerOutcome {
    var settings = try PruningSettings(structure: structure, target: 0.5)
    settings.damping = Damping(activations: 0.1, gradients: 0.2)
    settings.finalRepair = ConjugateGradientLimits(iterations: 400, tolerance: 0)
    let run = try PruningRun(store: LayersInMemory([problem]), settings: settings)
    let whole = PruningPlan(settings: settings, layers: [plan])
    return try run.repair(whole, layer: 0) { inputs }
  }

  /// The weights of which `½ E[(X x′ − W x)ᵀ G (X x′ − W x)] + ½ μ ⟨X − W, G (X − W)⟩` is least, by
  /// elimination in its normal equations.
  private static func optimum(
    _ problem: LayerProblem,
    removed: Set<Int>
  ) throws -> [Double] {
    let (old, new) = samples
    let bias = problem.hasBias
    var now = mean(new, new, ones: (bias, bias))
    var cross = mean(old, new, ones: (bias, bias))
    let alive = now.diagonal.indices.filter { now[$0, $0] > 0 }
    let amount = 0.1 * alive.reduce(0) { $0 + now[$1, $1] } / Double(alive.count)
    for index in alive {
      now[index, index] += amount
      cross[index, index] += amount
    }
    let factors = try #require(problem.factors)
    var g = factors.gradients.widened()
    let share = 0.2 * g.diagonal.reduce(0, +) / Double(g.rows)
    for index in 0..<g.rows { g[index, index] += share }
    let width = now.rows
    let free = (0..<g.rows * width).filter { !removed.contains($0) && $0 % width != 3 }
    let system = free.map { i in
      free.map { j in g[i / width, j / width] * now[i % width, j % width] }
    }
    let right = free.map { i in
      (0..<g.rows * width).reduce(0.0) { sum, j in
        sum + g[i / width, j / width] * Double(problem.weights.storage[j])
          * cross[j % width, i % width]
      }
    }
    var result = [Double](repeating: 0, count: g.rows * width)
    for (place, value) in solveDense(system, right).enumerated() { result[free[place]] = value }
    return result
  }

  @Test(
    "comes as near to the old outputs as the kept weights can",
    arguments: [([1], [4]), ([], [0, 2]), ([], [])] as [([Int], [Int])],
    [false, true]
  )
  func exact(_ removed: ([Int], [Int]), hasBias: Bool) throws {
    let problem = try sampleProblem(9, rows: 4, inputs: 5, hasBias: hasBias)
    var plan = LayerPlan(name: "layer", mask: problem.mask)
    plan.mask.remove(rows: removed.0)
    // Nobody makes the dead input any more, so its column is free.
    plan.free(columns: [3])
    plan.mask.remove(columns: removed.1)
    let outcome = try Self.repair(
      problem,
      plan,
      .rowsColumns,
      reading: Self.inputs(hasBias: hasBias)
    )
    let width = problem.weights.columns
    let exact = try Self.optimum(
      problem,
      removed: RepairTests.removedIndices(plan.mask, width: width)
    )
    // Solved in double precision from moments rounded to single, whose error the inverse raises by
    // no more than the condition number, below 100 with this damping.
    #expect(distance(outcome.weights.doubles, exact) <= 1e-5)
  }

  @Test("does so for single elements too", arguments: [false, true])
  func elements(hasBias: Bool) throws {
    let problem = try sampleProblem(10, rows: 4, inputs: 5, hasBias: hasBias)
    var plan = LayerPlan(name: "layer", mask: problem.mask)
    plan.mask.remove(columns: [3])
    for (row, column) in [(0, 0), (0, 1), (1, 4), (2, 2), (3, 0)] {
      plan.mask.removeElement(row: row, column: column)
    }
    let outcome = try Self.repair(problem, plan, .element, reading: Self.inputs(hasBias: hasBias))
    let width = problem.weights.columns
    let exact = try Self.optimum(
      problem,
      removed: RepairTests.removedIndices(plan.mask, width: width)
    )
    // Conjugate gradients in single precision end near its rounding times the condition number.
    #expect(distance(outcome.weights.doubles, exact) <= 1e-4)
  }

  @Test("is the ordinary repair where nothing drifted", arguments: [false, true])
  func nothingDrifted(hasBias: Bool) throws {
    let problem = try sampleProblem(11, rows: 4, inputs: 5, hasBias: hasBias)
    let factors = try #require(problem.factors)
    let inputs = DriftedInputs(
      activations: factors.activations,
      drift: Matrix(rows: 5, columns: problem.weights.columns)
    )
    var plan = LayerPlan(name: "layer", mask: problem.mask)
    plan.mask.remove(rows: [2])
    plan.mask.remove(columns: [1])
    for structure in [Structure.rowsColumns, .element] {
      if structure == .element { plan.mask.listElements() }
      let followed = try Self.repair(problem, plan, structure, reading: inputs)
      let ordinary = try RepairTests.repair(problem, plan, structure)
      #expect(followed.weights == ordinary.weights)
      #expect(followed.lossRepaired == ordinary.lossRepaired)
    }
  }

  @Test("of another shape are refused by the layer's name")
  func misshapen() throws {
    let problem = try sampleProblem(12, rows: 4, inputs: 5, name: "some layer")
    let good = Self.inputs(hasBias: false)
    let plan = LayerPlan(name: "some layer", mask: problem.mask)
    for (activations, drift) in [
      (good.activations, Matrix<Float>(rows: 5, columns: 6)),
      (Matrix<Float>(rows: 4, columns: 4), good.drift),
    ] {
      let inputs = DriftedInputs(activations: activations, drift: drift)
      let error = #expect(throws: PruningError.self) {
        try Self.repair(problem, plan, .rowsColumns, reading: inputs)
      }
      #expect(error.map { "\($0)".contains("some layer") } == true)
    }
  }
}
