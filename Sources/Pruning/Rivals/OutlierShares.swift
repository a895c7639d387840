package import LinearAlgebra

/// OWL (Yin et al., 2023): blocks with more outliers among their scores lose less.
package enum OutlierShares {
  /// A score is an outlier above so many times the mean of its block: the published `M`.
  package static let multiple = 5.0
  /// The shares of the blocks span twice this: the published `λ`.
  package static let spread = 0.08

  /// The share of outliers among the scores `|W_ij| ‖X_j‖₂` of one block's layers.
  ///
  /// - Parameter layers: The weights without biases, and the mean square of each input.
  /// - Returns: Between 0 and 1; 0 without weights.
  package static func ratio(
    _ layers: [(weights: Matrix<Float>, meanSquares: [Float])]
  ) -> Double {
    let rows = layers.flatMap { layer in
      let norms = layer.meanSquares.map { Double($0).squareRoot() }
      return (0..<layer.weights.rows).map { row in
        (0..<layer.weights.columns).map { abs(Double(layer.weights[row, $0])) * norms[$0] }
      }
    }
    let count = rows.reduce(0) { $0 + $1.count }
    guard count > 0 else { return 0 }
    let mean = rows.reduce(0) { $0 + $1.reduce(0, +) } / Double(count)
    let outliers = rows.reduce(0) { $0 + $1.count { $0 > multiple * mean } }
    return Double(outliers) / Double(count)
  }

  /// The share that each block loses, falling with its ratio of outliers.
  ///
  /// The shares differ by at most `2λ` and have the target as mean. Where that would take one below
  /// 0 or above 1, all are brought nearer to the target.
  ///
  /// - Parameters:
  ///   - ratios: One of ``ratio(_:)`` for each block.
  ///   - target: The mean of the shares.
  /// - Returns: One share for each block.
  package static func shares(_ ratios: [Double], target: Double) -> [Double] {
    guard let least = ratios.min(), let most = ratios.max(), most > least else {
      return ratios.map { _ in target }
    }
    let mean = ratios.reduce(0, +) / Double(ratios.count)
    let departures = ratios.map { (mean - $0) / (most - least) * 2 * spread }
    let room = departures.map { $0 < 0 ? target / -$0 : $0 > 0 ? (1 - target) / $0 : 1 }
    let scale = min(1, room.min() ?? 1)
    return departures.map { target + scale * $0 }
  }
}
