import LinearAlgebra

/// ALPS (Meng et al., 2024): one-shot pruning by ADMM, then conjugate gradients on what is kept.
///
/// Inputs are scaled so that `H`, the damped `A`, has ones on its diagonal. ADMM splits the weights
/// into `B`, which minimises `‖(B − W) x‖²`, and `D`, which is sparse, and pulls them together by a
/// penalty `ρ` that grows while the support of `D` changes:
///
///     B ← (W H − V + ρ D) (H + ρ I)⁻¹,   D ← P(B + V/ρ),   V ← V + ρ (B − D),
///
/// where `P` keeps the entries of largest square. One eigendecomposition of `H` serves every `ρ`.
package struct ALPS: Sendable {
  private let problem: LayerwiseProblem
  /// The rows' common model, in units that make its diagonal one.
  private let model: ScaledModel
  /// `W` in those units; zero for inputs that are always zero, so that they take nobody's place.
  private let weights: Matrix<Float>

  private static let mostIterations = 300
  /// The support is looked at, and `ρ` changed, once in so many iterations.
  private static let iterationsPerPenalty = 3
  private static let conjugateGradientSteps = 10

  /// Scales and decomposes the model.
  ///
  /// - Parameters:
  ///   - problem: The layer.
  ///   - damping: A share of the mean diagonal of `A`, added to it; the published value is 0.01.
  /// - Throws: ``PruningError`` if the eigenvalues are not found.
  package init(_ problem: LayerwiseProblem, damping: Double) throws(PruningError) {
    self.problem = problem
    model = try ScaledModel(problem, damping: damping)
    weights = problem.weights.scaled(
      columns: zip(model.units, problem.meanSquares).map { $1 > 0 ? $0 : 0 }
    )
  }

  /// Finds the support and the weights on it.
  ///
  /// - Parameters:
  ///   - target: How much to remove, from the whole layer or from each block.
  ///   - progress: Told the number of each iteration of ADMM.
  /// - Returns: The new weights; inputs that are always zero lose theirs.
  /// - Throws: ``PruningError/repairNotFinite(layer:)``.
  package func solve(
    _ target: LayerwiseTarget,
    progress: (Int) -> Void = { _ in }
  ) throws(PruningError) -> LayerwiseSolution {
    let sparse = supported(target, progress: progress)
    let refined = model.refined(
      sparse.weights,
      on: sparse.support,
      towards: weights,
      steps: Self.conjugateGradientSteps
    )
    let result = refined.scaled(columns: model.units.map { 1 / $0 })
    guard result.isFinite else { throw .repairNotFinite(layer: problem.name) }
    return LayerwiseSolution(
      weights: result,
      support: sparse.support,
      iterations: sparse.iterations
    )
  }

  /// ADMM, until the support no longer changes.
  private func supported(
    _ target: LayerwiseTarget,
    progress: (Int) -> Void
  ) -> LayerwiseSolution {
    let pull = model.applied(to: weights)
    let start = projected(weights, target)
    var state = ADMMState(sparse: start.weights, support: start.support)
    var schedule = PenaltySchedule()
    var inverse = model.inverse(adding: schedule.penalty)
    var before = start.support
    var iterations = 0
    while iterations < Self.mostIterations {
      iterations += 1
      progress(iterations)
      let dense = state.dense(pull, inverse, penalty: schedule.penalty)
      (state.sparse, state.support) = projected(
        state.candidate(dense, penalty: schedule.penalty),
        target
      )
      state.advance(dense, penalty: schedule.penalty)
      guard iterations.isMultiple(of: Self.iterationsPerPenalty) else { continue }
      switch schedule.advance(changed: state.support.differences(from: before), of: before) {
      case .end:
        return LayerwiseSolution(
          weights: state.sparse,
          support: state.support,
          iterations: iterations
        )
      case .goOn: before = state.support
      case .startAgain:
        state = ADMMState(sparse: start.weights, support: start.support)
        before = start.support
      }
      inverse = model.inverse(adding: schedule.penalty)
    }
    return LayerwiseSolution(
      weights: state.sparse,
      support: state.support,
      iterations: iterations
    )
  }

  /// `P`: the entries of largest square, in the units of the model.
  private func projected(
    _ candidate: Matrix<Float>,
    _ target: LayerwiseTarget
  ) -> (weights: Matrix<Float>, support: Matrix<Float>) {
    var squares = candidate
    forEachPiece(of: &squares) { _, entries in
      for index in entries.indices { entries[index] *= entries[index] }
    }
    let scores = WeightScores(squares, initial: problem.initial)
    let support =
      switch target {
      case .share(let share): scores.withoutLeast(count(of: share, 0..<squares.storage.count))
      case .pattern(let kept, let size): scores.keeping(kept, of: size)
      }
    return (candidate.masked(by: support), support)
  }
}

extension Matrix<Float> {
  /// How many entries differ.
  fileprivate func differences(from other: Matrix<Float>) -> Int {
    let (left, right) = (elements, other.elements)
    var count = 0
    for index in left.indices where left[index] != right[index] { count += 1 }
    return count
  }

  /// Each column times its factor.
  fileprivate func scaled(columns factors: [Double]) -> Matrix<Float> {
    var result = self
    guard !factors.isEmpty else { return result }
    concurrentChunks(of: &result.storage, size: factors.count) { _, entries in
      for column in entries.indices {
        entries[column] = Float(Double(entries[column]) * factors[column])
      }
    }
    return result
  }
}
