import LinearAlgebra
import Pruning

/// A layer for the layer-local methods, with correlated inputs.
func layerwiseProblem(
  _ seed: Int,
  rows: Int,
  inputs: Int,
  dead: Set<Int> = [],
  initial: LayerMask? = nil
) throws -> LayerwiseProblem {
  var random = Random(seed)
  var weights = random.matrix(rows, inputs)
  let mask = initial ?? LayerMask(outputs: rows, inputs: inputs)
  mask.apply(to: &weights)
  let problem = try LayerProblem(
    name: "layer \(seed)",
    weights: weights,
    hasBias: false,
    factors: nil,
    mask: mask
  )
  return try LayerwiseProblem(
    problem,
    activations: random.moment(inputs, samples: 2 * inputs, dead: dead)
  )
}

/// SparseGPT as its paper states it, in double precision: the inverse is computed anew for the
/// columns that are left before each of them, and nothing is lazy.
func naiveSparseGPT(
  _ problem: LayerwiseProblem,
  damping: Double,
  blockWidth: Int,
  removed: (_ columns: Range<Int>, _ scores: [[Double]]) -> [[Bool]],
  group: Int? = nil
) -> (weights: [[Double]], removed: [[Bool]]) {
  let (rows, inputs) = (problem.weights.rows, problem.weights.columns)
  var weights = (0..<rows).map { row in (0..<inputs).map { Double(problem.weights[row, $0]) } }
  let mean = problem.moment.diagonal.reduce(0) { $0 + Double($1) } / Double(inputs)
  let inverses = (0..<inputs).map { first in
    invertedRow(problem.moment, from: first, adding: damping * mean)
  }
  var gone = [[Bool]](repeating: [Bool](repeating: false, count: inputs), count: rows)
  for start in stride(from: 0, to: inputs, by: blockWidth) {
    let block = start..<min(inputs, start + blockWidth)
    for column in block {
      let step = group ?? blockWidth
      if (column - start).isMultiple(of: step) {
        let columns = column..<min(block.upperBound, column + step)
        let scores = weights.map { row in columns.map { row[$0] * row[$0] / inverses[$0][0] } }
        for (row, flags) in removed(columns, scores).enumerated() {
          for (place, flag) in flags.enumerated() { gone[row][columns.lowerBound + place] = flag }
        }
      }
      for row in 0..<rows where gone[row][column] {
        let error = weights[row][column] / inverses[column][0]
        for later in column..<inputs {
          weights[row][later] -= error * inverses[column][later - column]
        }
        weights[row][column] = 0
      }
    }
  }
  return (weights, gone)
}

/// The first row of `(M + added I)⁻¹` of the rows and columns from `first` on.
private func invertedRow(_ matrix: Matrix<Float>, from first: Int, adding added: Double) -> [Double]
{
  let indices = first..<matrix.rows
  let system = indices.map { i in
    indices.map { j in Double(matrix[i, j]) + (i == j ? added : 0) }
  }
  return solveDense(system, indices.map { $0 == first ? 1 : 0 })
}

/// Which of some scores are the `count` least; ties by place.
func least(_ count: Int, of scores: [Double]) -> [Bool] {
  let order = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
  var flags = scores.map { _ in false }
  for index in order.prefix(count) { flags[index] = true }
  return flags
}

/// The least relative output error of one row with exactly `kept` weights, over all supports.
func bestRowError(_ problem: LayerwiseProblem, kept: Int, damping: Double) -> Double {
  let inputs = problem.weights.columns
  return (0..<1 << inputs).lazy.filter { $0.nonzeroBitCount == kept }.map { set in
    let support = (0..<inputs).filter { set >> $0 & 1 == 1 }
    return dampedError(problem, exactRow(problem, support, damping: damping), damping: damping)
  }.min() ?? .infinity
}

/// The best weights of the first row on a support, by elimination.
func exactRow(_ problem: LayerwiseProblem, _ support: [Int], damping: Double) -> [Double] {
  let inputs = problem.weights.columns
  let matrix = damped(problem, damping)
  let right = support.map { i in
    (0..<inputs).reduce(0) { $0 + matrix[i][$1] * Double(problem.weights[0, $1]) }
  }
  let values = solveDense(support.map { i in support.map { matrix[i][$0] } }, right)
  var row = [Double](repeating: 0, count: inputs)
  for (place, index) in support.enumerated() { row[index] = values[place] }
  return row
}

/// `(x − w)ᵀ H (x − w)` of the first row with the damped `A`.
func dampedError(_ problem: LayerwiseProblem, _ row: [Double], damping: Double) -> Double {
  let matrix = damped(problem, damping)
  let gap = row.indices.map { row[$0] - Double(problem.weights[0, $0]) }
  return gap.indices.reduce(0) { sum, i in
    sum + gap.indices.reduce(0) { $0 + gap[i] * matrix[i][$1] * gap[$1] }
  }
}

private func damped(_ problem: LayerwiseProblem, _ share: Double) -> [[Double]] {
  let inputs = problem.weights.columns
  let mean = problem.moment.diagonal.reduce(0) { $0 + Double($1) } / Double(inputs)
  return (0..<inputs).map { i in
    (0..<inputs).map { j in Double(problem.moment[i, j]) + (i == j ? share * mean : 0) }
  }
}
