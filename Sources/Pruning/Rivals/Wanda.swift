import LinearAlgebra

/// Wanda (Sun et al., 2023): pruning by weights and activations.
///
/// A weight counts as much as it moves the output: `|W_ij| · ‖X_j‖₂`. Weights compete within their
/// row, or within their block of an N:M pattern; kept ones stay as they are.
package struct Wanda: Sendable {
  private let problem: LayerwiseProblem

  /// Takes the layer.
  package init(_ problem: LayerwiseProblem) { self.problem = problem }

  /// Removes the weights of least score.
  ///
  /// - Parameter target: How much to remove; each row loses the same share, to one weight.
  /// - Returns: The weights, those kept unchanged.
  /// - Throws: ``PruningError/costNotFinite(layer:)``.
  package func solve(_ target: LayerwiseTarget) throws(PruningError) -> LayerwiseSolution {
    let importance = problem.importance()
    guard importance.isFinite else { throw .costNotFinite(layer: problem.name) }
    let scores = WeightScores(importance, initial: problem.initial)
    let support: Matrix<Float>
    switch target {
    case .pattern(let kept, let size): support = scores.keeping(kept, of: size)
    case .share(let share):
      let width = importance.columns
      support = scores.withoutLeast(
        perRow: (0..<importance.rows).map { count(of: share, $0 * width..<($0 + 1) * width) }
      )
    }
    return LayerwiseSolution(weights: problem.weights.masked(by: support), support: support)
  }
}

extension LayerwiseProblem {
  /// `|W_ij| √(A_jj)`: Wanda's score up to the root of the number of tokens; shape of `W`.
  func importance() -> Matrix<Float> {
    let norms = meanSquares.map { $0.squareRoot() }
    var result = weights
    guard !norms.isEmpty else { return result }
    concurrentChunks(of: &result.storage, size: norms.count) { _, entries in
      for column in entries.indices { entries[column] = abs(entries[column]) * norms[column] }
    }
    return result
  }
}

extension Matrix<Float> {
  /// The entries where `support` is one, zero elsewhere.
  func masked(by support: Matrix<Float>) -> Matrix<Float> {
    var result = self
    forEachPiece(of: &result) { start, entries in
      let support = support.elements
      for index in entries.indices where support[start + index] == 0 { entries[index] = 0 }
    }
    return result
  }
}
