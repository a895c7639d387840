import LinearAlgebra
import Pruning

/// Adds the figures of what the solver spends its time with.
func measureSolver(_ board: inout Scoreboard, isLarge: Bool) throws {
  measureConjugateGradients(rows: 4096, columns: 4096, &board)
  if isLarge { measureConjugateGradients(rows: 11008, columns: 4096, &board) }
  try measureCholesky(order: 4096, &board)
}

/// A positive definite matrix whose entries fall with the distance from the diagonal, to 4e-18: numbers
/// below the normal ones would cost many times as much to multiply.
private func falling<Scalar: BLASScalar>(_ order: Int, of: Scalar.Type) -> Matrix<Scalar> {
  var powers: [Scalar] = [1]
  let ratio = 1 - 40 / Scalar(order)
  while powers.count < order { powers.append(powers[powers.count - 1] * ratio) }
  var matrix = Matrix<Scalar>(rows: order, columns: order)
  for row in 0..<order {
    for column in 0..<order { matrix.storage[row * order + column] = powers[abs(row - column)] }
  }
  return matrix
}

/// Adds the time of a repair of one layer of which half the weights are removed.
private func measureConjugateGradients(rows: Int, columns: Int, _ board: inout Scoreboard) {
  let iterations = 4
  var numbers = MadeUpNumbers()
  let weights = numbers.next(rows * columns, scale: 1)
  let repair = MaskedRepair<Float>(
    activations: falling(columns, of: Float.self),
    gradients: falling(rows, of: Float.self),
    added: ([Double](repeating: 0.1, count: columns), [Double](repeating: 0.1, count: rows)),
    kept: Matrix(rows: rows, columns: columns, storage: weights.map { $0 > 0 ? 1 : 0 })
  )
  let matrix = Matrix(rows: rows, columns: columns, storage: weights)
  let (m, n) = (Double(rows), Double(columns))
  // Each iteration has two products, and so has the start.
  let operations = Double(iterations + 1) * 2 * (m * m * n + m * n * n)
  let time = board.time(operations: operations) {
    _ = repair.solve(
      weights: matrix,
      start: matrix,
      limits: ConjugateGradientLimits(iterations: iterations, tolerance: 0)
    )
  }
  let one = time.seconds / Double(iterations + 1)
  board.add(
    Figure(
      name: "conjugate gradients, \(rows) × \(columns), one step",
      seconds: one,
      rate: (51 * one, "s a layer of 50"),
      floor: time.floor / Double(iterations + 1)
    )
  )
}

/// Adds the time of a factorisation in double precision, whose operations take twice as long.
private func measureCholesky(order: Int, _ board: inout Scoreboard) throws {
  let matrix = falling(order, of: Double.self)
  let n = Double(order)
  let time = try board.time(operations: 2 * n * n * n / 3) { _ = try Cholesky(matrix) }
  board.add(
    Figure(
      name: "Cholesky, order \(order), double precision",
      seconds: time.seconds,
      rate: (n * n * n / 3e9 / time.seconds, "GFLOP/s"),
      floor: time.floor
    )
  )
}
