package import LinearAlgebra

/// The least of `½⟨X − W, G (X − W) A⟩` over all `X` that are zero where the mask removes.
///
/// Solved by conjugate gradients on `K∘(G X A) = K∘(G W A)`, two matrix products an iteration. Both
/// factors are first brought to ones on their diagonals, which is the diagonal preconditioner and
/// keeps single precision away from its ends: entries of `G` are often below 1e-10.
package struct MaskedRepair<Scalar: BLASScalar>: Sendable {
  /// `A`, damped, in units that make its diagonal one.
  private let activations: Matrix<Scalar>
  /// `G`, damped, in units that make its diagonal one.
  private let gradients: Matrix<Scalar>
  /// `K`: one where a weight is kept, zero where it is removed.
  private let kept: Matrix<Scalar>
  /// What a weight in the model's units is multiplied by to get there from ours: rows, columns.
  private let units: (rows: [Double], columns: [Double])

  /// Sets up the problem.
  ///
  /// - Parameters:
  ///   - activations: `A`, shape `[n, n]`.
  ///   - gradients: `G`, shape `[m, m]`.
  ///   - added: What is added to the diagonals of `A` and of `G`; the sums must be above zero.
  ///   - kept: `K`, ones and zeros; shape `[m, n]`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package init(
    activations: Matrix<Scalar>,
    gradients: Matrix<Scalar>,
    added: (activations: [Double], gradients: [Double]),
    kept: Matrix<Scalar>
  ) {
    let (left, rows) = withUnitDiagonal(gradients, adding: added.gradients)
    let (right, columns) = withUnitDiagonal(activations, adding: added.activations)
    self.activations = right
    self.gradients = left
    self.kept = kept
    units = (rows, columns)
  }

  /// Finds the optimum.
  ///
  /// - Parameters:
  ///   - weights: `W`, shape `[m, n]`.
  ///   - start: Where to begin; removed weights in it are taken as zero. Shape `[m, n]`.
  ///   - limits: When to stop.
  ///   - progress: Told the number of the iteration and the damped loss after it.
  /// - Returns: The weights, zero where removed; nothing if an entry became NaN or infinite.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package func solve(
    weights: Matrix<Scalar>,
    start: Matrix<Scalar>,
    limits: ConjugateGradientLimits,
    progress: (Int, Double) -> Void = { _, _ in }
  ) -> MaskedSolution<Scalar>? {
    var state = initialState(weights: weights, start: start)
    let initialLoss = state.loss
    var iterations = 0
    while iterations < limits.iterations, state.residualNorm > 0, state.loss > 0 {
      applyModel(to: state.direction, half: &state.half, into: &state.product)
      let curvature = state.direction.inner(state.product)
      // Below zero only through rounding, when there is nothing left to gain.
      guard curvature > 0 else { break }
      let length = state.residualNorm / curvature
      advance(&state, by: Scalar(length))
      iterations += 1
      let gain = length * state.residualNorm / 2
      state.loss -= gain
      let norm = state.residual.inner(state.residual)
      guard norm.isFinite, length.isFinite else { return nil }
      progress(iterations, max(0, state.loss))
      guard gain > limits.tolerance * state.loss else { break }
      turn(&state.direction, towards: state.residual, keeping: Scalar(norm / state.residualNorm))
      state.residualNorm = norm
    }
    guard initialLoss.isFinite, curvatureIsUsable(state) else { return nil }
    return MaskedSolution(
      weights: iterations == 0 ? masked(start) : scaled(state.solution, by: units, inverse: true),
      iterations: iterations,
      losses: (initialLoss, max(0, state.loss))
    )
  }

  /// `G (W − X) A`: by how much the loss falls as each weight grows, kept or not.
  ///
  /// Zero for kept weights at the optimum.
  ///
  /// - Parameters:
  ///   - weights: `W`, shape `[m, n]`.
  ///   - solution: `X`, of the same shape.
  /// - Returns: The pull, of the same shape, in the model's units.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package func pull(weights: Matrix<Scalar>, solution: Matrix<Scalar>) -> Matrix<Scalar> {
    var gap = weights
    for index in gap.storage.indices { gap.storage[index] -= solution.storage[index] }
    gap = scaled(gap, by: units, inverse: false)
    var half = gap
    var product = gap
    applyModel(to: gap, half: &half, into: &product)
    return scaled(product, by: units, inverse: false)
  }

  private func curvatureIsUsable(_ state: ConjugateGradientState<Scalar>) -> Bool {
    state.residualNorm.isFinite && state.solution.isFinite
  }

  private func initialState(
    weights: Matrix<Scalar>,
    start: Matrix<Scalar>
  ) -> ConjugateGradientState<Scalar> {
    let solution = masked(scaled(start, by: units, inverse: false))
    let target = scaled(weights, by: units, inverse: false)
    var gap = target
    for index in gap.storage.indices { gap.storage[index] -= solution.storage[index] }
    var half = Matrix<Scalar>(rows: kept.rows, columns: kept.columns)
    var product = half
    applyModel(to: gap, half: &half, into: &product)
    let residual = masked(product)
    return ConjugateGradientState(
      solution: solution,
      residual: residual,
      direction: residual,
      product: product,
      half: half,
      residualNorm: residual.inner(residual),
      loss: gap.inner(product) / 2
    )
  }

  /// `G X A`.
  private func applyModel(
    to change: Matrix<Scalar>,
    half: inout Matrix<Scalar>,
    into product: inout Matrix<Scalar>
  ) {
    multiplyTiled(gradients.view, change.view, into: &half)
    multiplyTiled(half.view, activations.view, into: &product)
  }

  private func masked(_ matrix: Matrix<Scalar>) -> Matrix<Scalar> {
    var result = matrix
    let kept = kept
    forEachPiece(of: &result) { start, entries in
      let isKept = kept.elements
      for index in entries.indices { entries[index] *= isKept[start + index] }
    }
    return result
  }

  /// `X += α P` and `R −= α K∘(G P A)`.
  private func advance(_ state: inout ConjugateGradientState<Scalar>, by length: Scalar) {
    let (direction, product, kept) = (state.direction, state.product, kept)
    let size = pieceSize
    guard !kept.storage.isEmpty else { return }
    concurrentChunks(
      of: &state.solution.storage,
      size: size,
      and: &state.residual.storage,
      size: size
    ) { piece, solution, residual in
      let start = piece * size
      let step = direction.elements.extracting(start..<start + solution.count)
      let change = product.elements.extracting(start..<start + solution.count)
      let isKept = kept.elements.extracting(start..<start + solution.count)
      for index in solution.indices {
        solution[index] += length * step[index]
        residual[index] -= length * isKept[index] * change[index]
      }
    }
  }

  /// `P = R + β P`.
  private func turn(
    _ direction: inout Matrix<Scalar>,
    towards residual: Matrix<Scalar>,
    keeping share: Scalar
  ) {
    forEachPiece(of: &direction) { start, entries in
      let residual = residual.elements.extracting(start..<start + entries.count)
      for index in entries.indices { entries[index] = residual[index] + share * entries[index] }
    }
  }
}

/// The result of a masked repair.
package struct MaskedSolution<Scalar: BLASScalar>: Sendable {
  /// The new weights, zero where removed.
  package let weights: Matrix<Scalar>
  /// The number of iterations.
  package let iterations: Int
  /// The damped loss at the start and at the end.
  package let losses: (initial: Double, final: Double)
}

/// The vectors of conjugate gradients, all in the units of the scaled model.
private struct ConjugateGradientState<Scalar: BLASScalar> {
  var solution: Matrix<Scalar>
  var residual: Matrix<Scalar>
  var direction: Matrix<Scalar>
  /// `G P A` of the last direction.
  var product: Matrix<Scalar>
  /// `G P`.
  var half: Matrix<Scalar>
  var residualNorm: Double
  var loss: Double
}

/// The number of entries that one thread updates at a time.
private let pieceSize = 1 << 16

private func forEachPiece<Scalar: BLASScalar>(
  of matrix: inout Matrix<Scalar>,
  _ body: @Sendable (Int, inout MutableSpan<Scalar>) -> Void
) {
  let size = pieceSize
  concurrentChunks(of: &matrix.storage, size: size) { piece, entries in
    body(piece * size, &entries)
  }
}

/// The matrix with `added` on its diagonal, in units that make the diagonal one, and the roots of
/// the diagonal that was.
private func withUnitDiagonal<Scalar: BLASScalar>(
  _ matrix: Matrix<Scalar>,
  adding added: [Double]
) -> (Matrix<Scalar>, roots: [Double]) {
  let order = matrix.rows
  precondition(matrix.columns == order && added.count == order, "one amount for each row")
  let roots = (0..<order).map { (Double(matrix[$0, $0]) + added[$0]).squareRoot() }
  var result = scaled(matrix, by: (roots, roots), inverse: true)
  for index in 0..<order { result[index, index] = 1 }
  return (result, roots)
}

/// Each entry times the units of its row and column, or divided by them.
private func scaled<Scalar: BLASScalar>(
  _ matrix: Matrix<Scalar>,
  by units: (rows: [Double], columns: [Double]),
  inverse: Bool
) -> Matrix<Scalar> {
  precondition(
    units.rows.count == matrix.rows && units.columns.count == matrix.columns,
    "one unit for each row and column"
  )
  var result = matrix
  guard matrix.columns > 0 else { return result }
  let (rows, columns) =
    inverse
    ? (units.rows.map { 1 / $0 }, units.columns.map { 1 / $0 })
    : units
  concurrentChunks(of: &result.storage, size: matrix.columns) { row, entries in
    for index in entries.indices {
      entries[index] = Scalar(Double(entries[index]) * rows[row] * columns[index])
    }
  }
  return result
}
