package import LinearAlgebra

/// How much is added to the diagonals of `A` and `G` before they are inverted; no unit.
package struct Damping: Equatable, Sendable {
  /// What the added amount is a share of.
  package enum Scale: String, CaseIterable, Equatable, Sendable {
    /// The mean diagonal entry: the same amount everywhere, `M + λ·mean(diag M)·I`.
    case mean
    /// The entry itself: `M + λ·diag M`, which shrinks every correlation by `1/(1 + λ)`.
    case entry
  }

  /// The share for `A`.
  package var activations: Double
  /// The share for `G`.
  package var gradients: Double
  /// What the shares are shares of.
  package var scale: Scale

  /// Both shares, finite and not negative.
  package init(activations: Double, gradients: Double, scale: Scale = .mean) {
    self.activations = activations
    self.gradients = gradients
    self.scale = scale
  }

  /// The share for one of the factors.
  package func share(_ side: KroneckerFactors.Side) -> Double {
    side == .activations ? activations : gradients
  }

  /// Whether both shares are finite and not negative.
  package var isValid: Bool {
    [activations, gradients].allSatisfy { $0.isFinite && $0 >= 0 }
  }
}

/// One factor of the curvature together with what is added to its diagonal.
///
/// The added amount is fixed by the rows and columns that were alive when the factor was measured;
/// conditioning on what is removed later does not change it.
package struct DampedFactor: Sendable {
  /// The factor as measured; shape `[n, n]`.
  package let matrix: Matrix<Float>
  /// What is added to each diagonal entry; zero for entries that are not alive.
  package let added: [Double]

  /// The diagonal entries that are added per entry damping are no smaller than this share of
  /// their mean, so that a nearly dead entry does not spoil the factorisation.
  private static let entryFloor = 1e-4

  /// Fixes the damping of a factor.
  ///
  /// - Parameters:
  ///   - matrix: `A` or `G`.
  ///   - alive: The entries that count; the others get no damping.
  ///   - share: The share that is added.
  ///   - scale: What it is a share of.
  package init(_ matrix: Matrix<Float>, alive: [Int], share: Double, scale: Damping.Scale) {
    self.matrix = matrix
    var added = [Double](repeating: 0, count: matrix.rows)
    let sum = alive.reduce(0) { $0 + Double(matrix[$1, $1]) }
    let mean = alive.isEmpty ? 0 : sum / Double(alive.count)
    for index in alive {
      switch scale {
      case .mean: added[index] = share * mean
      case .entry:
        added[index] = share * Double(matrix[index, index]) + Self.entryFloor * mean
      }
    }
    self.added = added
  }

  /// The damped diagonal entry at `index`.
  package func diagonal(_ index: Int) -> Double { Double(matrix[index, index]) + added[index] }
}
