import Curvature
import LinearAlgebra
import Pruning

/// A small reproducible generator (SplitMix64).
struct Random: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: Int) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1 }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  /// Uniform in −1…1, a multiple of 2⁻¹².
  mutating func number() -> Double { Double(Int(next() >> 51) - 4096) / 4096 }

  mutating func matrix(_ rows: Int, _ columns: Int) -> Matrix<Float> {
    Matrix(
      rows: rows,
      columns: columns,
      storage: (0..<rows * columns).map { _ in Float(number()) }
    )
  }

  /// The mean of `x xᵀ` over samples; the last entry of a sample is 1 if `hasBias`, and the `dead`
  /// entries are 0.
  mutating func moment(
    _ order: Int,
    samples: Int? = nil,
    hasBias: Bool = false,
    dead: Set<Int> = []
  ) -> Matrix<Float> {
    let count = samples ?? 3 * order + 2
    var sum = Matrix<Double>(rows: order, columns: order)
    for _ in 0..<count {
      let shared = number()
      let x = (0..<order).map { index -> Double in
        if dead.contains(index) { return 0 }
        if hasBias && index == order - 1 { return 1 }
        return number() + shared
      }
      for i in 0..<order { for j in 0..<order { sum[i, j] += x[i] * x[j] / Double(count) } }
    }
    return sum.narrowed()
  }
}

/// A layer of random weights and factors.
func sampleProblem(
  _ seed: Int,
  rows: Int,
  inputs: Int,
  hasBias: Bool = false,
  deadRows: Set<Int> = [],
  deadColumns: Set<Int> = [],
  name: String? = nil
) throws -> LayerProblem {
  var random = Random(seed)
  let width = inputs + (hasBias ? 1 : 0)
  return try LayerProblem(
    name: name ?? "layer \(seed)",
    weights: random.matrix(rows, width),
    hasBias: hasBias,
    factors: KroneckerFactors(
      activations: random.moment(width, hasBias: hasBias, dead: deadColumns),
      gradients: random.moment(rows, dead: deadRows)
    ),
    mask: LayerMask(outputs: rows, inputs: inputs)
  )
}

/// The quadratic model of a whole layer as one dense matrix, solved by Gaussian elimination.
struct DenseModel {
  let rows: Int
  let columns: Int
  /// `G ⊗ A`, row-major over the weights.
  let curvature: [[Double]]

  /// Damping is relative to the mean of the positive diagonal entries.
  init(_ factors: KroneckerFactors, damping: (activations: Double, gradients: Double)) {
    func damped(_ matrix: Matrix<Float>, _ share: Double) -> Matrix<Double> {
      var result = matrix.widened()
      let alive = result.diagonal.filter { $0 > 0 }
      let amount = alive.isEmpty ? 0 : share * alive.reduce(0, +) / Double(alive.count)
      for index in 0..<result.rows where result[index, index] > 0 {
        result[index, index] += amount
      }
      return result
    }
    let a = damped(factors.activations, damping.activations)
    let g = damped(factors.gradients, damping.gradients)
    (rows, columns) = (g.rows, a.rows)
    let (count, width) = (g.rows * a.rows, a.rows)
    curvature = (0..<count).map { i in
      (0..<count).map { j in g[i / width, j / width] * a[i % width, j % width] }
    }
  }

  func loss(_ change: [Double]) -> Double {
    var sum = 0.0
    for (i, row) in curvature.enumerated() {
      for (j, value) in row.enumerated() { sum += change[i] * value * change[j] }
    }
    return sum / 2
  }

  /// The best weights that are zero at `removed`; `fixed` ones stay as they are.
  func optimum(_ weights: [Double], removed: Set<Int>, fixed: Set<Int> = []) -> [Double] {
    let free = weights.indices.filter { !removed.contains($0) && !fixed.contains($0) }
    // H_ff d_f = H_fq w_q, for the change d of the free weights.
    let system = free.map { i in free.map { curvature[i][$0] } }
    let right = free.map { i in removed.reduce(0) { $0 + curvature[i][$1] * weights[$1] } }
    let change = solveDense(system, right)
    var result = weights
    for index in removed { result[index] = 0 }
    for (place, index) in free.enumerated() { result[index] += change[place] }
    return result
  }

  /// The loss of the best weights that are zero at `removed`.
  func cost(_ weights: [Double], removing removed: Set<Int>, fixed: Set<Int> = []) -> Double {
    let best = optimum(weights, removed: removed, fixed: fixed)
    return loss(zip(best, weights).map { $0 - $1 })
  }
}

/// Gaussian elimination with partial pivoting.
func solveDense(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
  var a = zip(matrix, right).map { $0 + [$1] }
  let n = a.count
  for k in 0..<n {
    let pivot = (k..<n).max { abs(a[$0][k]) < abs(a[$1][k]) } ?? k
    a.swapAt(k, pivot)
    for i in k + 1..<max(n, k + 1) {
      let share = a[i][k] / a[k][k]
      for j in k...n { a[i][j] -= share * a[k][j] }
    }
  }
  var x = [Double](repeating: 0, count: n)
  for i in stride(from: n - 1, through: 0, by: -1) {
    var rest = a[i][n]
    for j in i + 1..<max(n, i + 1) { rest -= a[i][j] * x[j] }
    x[i] = rest / a[i][i]
  }
  return x
}

extension Matrix<Float> {
  var doubles: [Double] { storage.map(Double.init) }
}

/// The largest difference between two lists.
func distance(_ left: [Double], _ right: [Double]) -> Double {
  zip(left, right).map { abs($0 - $1) }.max() ?? 0
}

/// The outcomes of a whole run.
func prune(
  _ problems: [LayerProblem],
  _ settings: PruningSettings,
  consequences: [Consequence] = []
) throws -> (plan: PruningPlan, outcomes: [LayerOutcome]) {
  var run = try PruningRun(
    store: LayersInMemory(problems),
    settings: settings,
    consequences: consequences
  )
  let plan = try run.choose()
  var outcomes: [LayerOutcome] = []
  try run.repair(plan) { _, outcome in outcomes.append(outcome) }
  return (plan, outcomes)
}
