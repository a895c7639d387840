package import LinearAlgebra

/// The weights of a linear layer that come closest to given outputs, with some of them fixed.
///
/// Over `W`, whose fixed entries keep their values, `‖W x − y‖²` summed over tokens is least, plus
/// `λ ‖W − W₀‖²` for what the tokens do not determine. With `A = Σ x xᵀ` and `C = Σ y xᵀ` each row is a
/// symmetric system of its own, which conjugate gradients solve for all rows at once, preconditioned
/// by the diagonal of `A`. The sum of squares never rises.
package struct MaskedLeastSquares: Sendable {
  /// `A`, shape `[inputs, inputs]`.
  package let moment: Matrix<Double>
  /// `C`, shape `[outputs, inputs]`.
  package let cross: Matrix<Double>
  /// One for an entry that may change, zero for one that is fixed; row by row, like `C`.
  package let free: [Bool]
  /// `λ` in units of the mean diagonal entry of `A`.
  package var damping = 1e-6
  /// The most iterations.
  package var iterations = 300
  /// The share of the first residual at which a row is done.
  package var tolerance = 1e-7

  /// A problem.
  ///
  /// - Parameters:
  ///   - moment: `A`.
  ///   - cross: `C`.
  ///   - free: Which entries may change.
  package init(moment: Matrix<Double>, cross: Matrix<Double>, free: [Bool]) {
    precondition(moment.rows == moment.columns && cross.columns == moment.rows, "one width")
    precondition(free.count == cross.storage.count, "one mark for each entry")
    self.moment = moment
    self.cross = cross
    self.free = free
  }

  /// Solves the problem.
  ///
  /// - Parameter start: `W₀`; its fixed entries stay.
  /// - Returns: `W`.
  package func solution(from start: Matrix<Double>) -> Matrix<Double> {
    precondition(start.rows == cross.rows && start.columns == cross.columns, "the shape of C")
    let width = moment.rows
    let diagonal = (0..<width).map { moment[$0, $0] }
    let ridge = damping * diagonal.reduce(0, +) / Double(max(1, width))
    let scales = diagonal.map { $0 + ridge > 0 ? 1 / ($0 + ridge) : 0 }
    var rows = Rows(solution: start, residual: residual(of: start))
    rows.begin(free: free, scales: scales, tolerance: tolerance)
    var product = Matrix<Double>(rows: start.rows, columns: width)
    for _ in 0..<iterations where rows.areMoving {
      multiplyTiled(rows.direction.view, moment.view, into: &product)
      rows.move(along: product, ridge: ridge, free: free, scales: scales)
    }
    return rows.solution
  }

  /// The sum of squares, up to a number that does not depend on the weights.
  ///
  /// - Parameter weights: `W`.
  /// - Returns: `⟨W A, W⟩ − 2 ⟨C, W⟩`.
  package func value(of weights: Matrix<Double>) -> Double {
    var product = Matrix<Double>(rows: weights.rows, columns: weights.columns)
    multiplyTiled(weights.view, moment.view, into: &product)
    var total = 0.0
    for index in weights.storage.indices {
      total += weights.storage[index] * (product.storage[index] - 2 * cross.storage[index])
    }
    return total
  }

  /// `C − W A`.
  private func residual(of weights: Matrix<Double>) -> Matrix<Double> {
    var result = cross
    multiplyTiled(weights.view, moment.view, scale: -1, keeping: 1, into: &result)
    return result
  }
}

/// Conjugate gradients on many rows side by side.
private struct Rows {
  var solution: Matrix<Double>
  var residual: Matrix<Double>
  var direction: Matrix<Double>
  /// `⟨r, z⟩` of each row, with `z` the preconditioned residual; zero once the row is done.
  private var energies: [Double]
  private var limits: [Double]

  init(solution: Matrix<Double>, residual: Matrix<Double>) {
    self.solution = solution
    self.residual = residual
    direction = Matrix(rows: solution.rows, columns: solution.columns)
    energies = [Double](repeating: 0, count: solution.rows)
    limits = energies
  }

  var areMoving: Bool { energies.contains { $0 > 0 } }

  mutating func begin(free: [Bool], scales: [Double], tolerance: Double) {
    let width = solution.columns
    for row in 0..<solution.rows {
      for column in 0..<width {
        let index = row * width + column
        let value = free[index] ? residual.storage[index] : 0
        residual.storage[index] = value
        direction.storage[index] = value * scales[column]
        energies[row] += value * value * scales[column]
      }
      limits[row] = energies[row] * tolerance * tolerance
    }
  }

  /// One step of every row that is not done.
  ///
  /// - Parameters:
  ///   - product: `P A` for the directions `P`.
  ///   - ridge: What is added to the diagonal of `A`.
  ///   - free: Which entries may change.
  ///   - scales: The preconditioner.
  mutating func move(
    along product: Matrix<Double>,
    ridge: Double,
    free: [Bool],
    scales: [Double]
  ) {
    let width = solution.columns
    for row in 0..<solution.rows where energies[row] > 0 {
      let range = row * width..<(row + 1) * width
      var curvature = 0.0
      for index in range {
        let p = direction.storage[index]
        curvature += p * (product.storage[index] + ridge * p)
      }
      guard curvature > 0 else {
        energies[row] = 0
        continue
      }
      let length = energies[row] / curvature
      var energy = 0.0
      for index in range where free[index] {
        let p = direction.storage[index]
        solution.storage[index] += length * p
        residual.storage[index] -= length * (product.storage[index] + ridge * p)
        energy +=
          residual.storage[index] * residual.storage[index] * scales[index - range.lowerBound]
      }
      let turn = energy / energies[row]
      energies[row] = energy > limits[row] ? energy : 0
      for index in range where free[index] {
        let z = residual.storage[index] * scales[index - range.lowerBound]
        direction.storage[index] = z + turn * direction.storage[index]
      }
      // A row that is done adds nothing to the next products.
      if energies[row] == 0 { for index in range { direction.storage[index] = 0 } }
    }
  }
}
