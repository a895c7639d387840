import Curvature
import LinearAlgebra

/// The weights of a layer after a repair.
struct RepairedLayer: Sendable {
  /// The whole weight matrix, zero where removed; shape `[outputs, inputs (+1)]`.
  let weights: Matrix<Float>
  /// The iterations; zero where none were needed.
  let iterations: Int

  init(_ weights: Matrix<Float>, iterations: Int = 0) {
    self.weights = weights
    self.iterations = iterations
  }
}

extension ActiveLayer {
  /// The best kept weights where single weights are removed.
  ///
  /// - Parameters:
  ///   - start: Where the iterations begin, if not at the weights as they came.
  ///   - limits: When they stop.
  ///   - progress: Told of each iteration and the damped loss after it.
  /// - Returns: The weights.
  /// - Throws: ``PruningError`` if there is no curvature or the repair fails.
  func maskedOptimum(
    from start: Matrix<Float>?,
    limits: ConjugateGradientLimits,
    progress: (Int, Double) -> Void
  ) throws(PruningError) -> RepairedLayer {
    let weights = problem.weights.selecting(rows: baseRows, columns: baseColumns)
    let solution = try maskedRepair().solve(
      weights: weights,
      start: start?.selecting(rows: baseRows, columns: baseColumns) ?? weights,
      limits: limits,
      progress: progress
    )
    guard let solution else { throw .repairNotFinite(layer: problem.name) }
    return RepairedLayer(assembled(base: solution.weights), iterations: solution.iterations)
  }

  /// The damped loss of a repaired layer and how it would fall as each weight grows.
  ///
  /// - Parameter current: `X`, shape `[outputs, inputs (+1)]`.
  /// - Returns: `½⟨W − X, G (W − X) A⟩` in nats per token, and `G (W − X) A` over the rows and
  ///   columns of the model.
  /// - Throws: ``PruningError`` if there is no curvature.
  func lossAndPull(
    at current: Matrix<Float>
  ) throws(PruningError) -> (loss: Double, pull: Matrix<Float>) {
    let weights = problem.weights.selecting(rows: baseRows, columns: baseColumns)
    let solution = current.selecting(rows: baseRows, columns: baseColumns)
    let pull = try maskedRepair().pull(weights: weights, solution: solution)
    var loss = 0.0
    for index in pull.storage.indices {
      let gap = Double(weights.storage[index]) - Double(solution.storage[index])
      loss += 0.5 * gap * Double(pull.storage[index])
    }
    return (loss, pull)
  }

  /// The repair of the rows and columns of the model.
  private func maskedRepair() throws(PruningError) -> MaskedRepair<Float> {
    let (rows, columns) = (baseRows, baseColumns)
    guard let factors else { throw .curvatureMissing(layer: problem.name, .surgeon) }
    return MaskedRepair(
      activations: factors.activations.matrix.selecting(rows: columns, columns: columns),
      gradients: factors.gradients.matrix.selecting(rows: rows, columns: rows),
      added: (
        columns.map { factors.activations.added[$0] }, rows.map { factors.gradients.added[$0] }
      ),
      kept: keptIndicator()
    )
  }

  /// One where a weight of the model is kept, zero where it is removed.
  func keptIndicator() -> Matrix<Float> {
    var result = Matrix<Float>(rows: baseRows.count, columns: baseColumns.count)
    guard !baseColumns.isEmpty else { return result }
    let mask = plan.mask
    concurrentChunks(of: &result.storage, size: baseColumns.count) { place, entries in
      let row = baseRows[place]
      guard mask.keptRows[row] else { return }
      let flags = mask.keptFlags(row: row)
      for index in entries.indices {
        let column = baseColumns[index]
        entries[index] = column == mask.inputs || flags[column] ? 1 : 0
      }
    }
    return result
  }

  /// The whole weight matrix with the model's part replaced and the mask applied.
  func assembled(base: Matrix<Float>) -> Matrix<Float> {
    var result = problem.weights
    result.scatter(base, rows: baseRows, columns: baseColumns)
    plan.mask.apply(to: &result)
    return result
  }
}
