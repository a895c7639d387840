import Curvature
import LinearAlgebra

/// The damped second moment of a layer's inputs in units that make its diagonal one, decomposed.
struct ScaledModel: Sendable {
  /// What a weight is multiplied by to get into these units, one for each input.
  let units: [Double]
  /// `H`; shape `[inputs, inputs]`.
  private let matrix: Matrix<Float>
  private let eigenvalues: [Double]
  /// One eigenvector a row; shape `[inputs, inputs]`.
  private let eigenvectors: Matrix<Float>

  /// Scales and decomposes `A + λ mean(diag A) I`.
  ///
  /// - Throws: ``PruningError`` if the eigenvalues are not found.
  init(_ problem: LayerwiseProblem, damping: Double) throws(PruningError) {
    let squares = problem.meanSquares.map { Double($0) }
    let alive = squares.filter { $0 > 0 }
    let added = alive.isEmpty ? 0 : damping * alive.reduce(0, +) / Double(alive.count)
    // An input that is always zero moves no output: any unit does.
    let units = squares.map { $0 + added > 0 ? ($0 + added).squareRoot() : 1 }
    var matrix = problem.moment.widened()
    for row in 0..<matrix.rows {
      for column in 0..<matrix.columns { matrix[row, column] /= units[row] * units[column] }
      matrix[row, row] = 1
    }
    self.units = units
    self.matrix = matrix.narrowed()
    do {
      let eigen = try SymmetricEigen(matrix)
      // Below zero only through rounding.
      eigenvalues = eigen.values.map { max(0, $0) }
      eigenvectors = eigen.vectors.narrowed()
    } catch {
      throw .curvature(
        layer: problem.name,
        .notPositiveDefinite(order: squares.count, damping: added)
      )
    }
  }

  /// `X H`.
  func applied(to weights: Matrix<Float>) -> Matrix<Float> {
    var result = weights
    multiplyTiled(weights.view, matrix.view, into: &result)
    return result
  }

  /// `(H + ρ I)⁻¹`, for `ρ` above zero.
  func inverse(adding penalty: Float) -> Matrix<Float> {
    var roots = eigenvectors
    let order = roots.rows
    guard order > 0 else { return roots }
    let (eigenvalues, vectors) = (eigenvalues, eigenvectors)
    concurrentChunks(of: &roots.storage, size: order) { row, entries in
      let scale = Float(1 / (eigenvalues[row] + Double(penalty)).squareRoot())
      for column in entries.indices { entries[column] = vectors[row, column] * scale }
    }
    var result = Matrix<Float>(rows: order, columns: order)
    addGram(of: roots.view, to: &result)
    mirrorLowerTriangle(of: &result)
    return result
  }

  /// Conjugate gradients for the least `‖(X − W) x‖²` on a support, each row with its own steps.
  ///
  /// The unit diagonal of `H` is the preconditioner.
  ///
  /// - Parameters:
  ///   - start: Where to begin; zero outside of the support.
  ///   - support: One where a weight is kept.
  ///   - target: `W`, in these units.
  ///   - steps: The number of steps.
  /// - Returns: The weights, zero outside of the support.
  func refined(
    _ start: Matrix<Float>,
    on support: Matrix<Float>,
    towards target: Matrix<Float>,
    steps: Int
  ) -> Matrix<Float> {
    let width = start.columns
    var solution = start
    guard width > 0 else { return solution }
    var gap = target
    forEachPiece(of: &gap) { first, entries in
      let start = start.elements
      for index in entries.indices { entries[index] -= start[first + index] }
    }
    var residual = applied(to: gap).masked(by: support)
    var direction = residual
    for _ in 0..<steps {
      let product = applied(to: direction).masked(by: support)
      let path = direction
      let before = residual
      concurrentChunks(
        of: &solution.storage,
        size: width,
        and: &residual.storage,
        size: width
      ) { row, solution, residual in
        let range = row * width..<(row + 1) * width
        let direction = path.elements.extracting(range)
        let product = product.elements.extracting(range)
        let length = ratio(squareSum(residual.span), inner(direction, product))
        for index in solution.indices {
          solution[index] += length * direction[index]
          residual[index] -= length * product[index]
        }
      }
      let after = residual
      concurrentChunks(of: &direction.storage, size: width) { row, direction in
        let range = row * width..<(row + 1) * width
        let residual = after.elements.extracting(range)
        let share = ratio(squareSum(residual), squareSum(before.elements.extracting(range)))
        for index in direction.indices {
          direction[index] = residual[index] + share * direction[index]
        }
      }
    }
    return solution
  }
}

/// A quotient, zero where there is nothing left to divide by.
private func ratio(_ numerator: Double, _ denominator: Double) -> Float {
  denominator > 0 ? Float(numerator / denominator) : 0
}

private func squareSum(_ entries: Span<Float>) -> Double { inner(entries, entries) }

private func inner(_ left: Span<Float>, _ right: Span<Float>) -> Double {
  var sum = 0.0
  for index in left.indices { sum += Double(left[index]) * Double(right[index]) }
  return sum
}
