import LinearAlgebra

/// A set of removed weights of one block, which grows and changes one weight at a time.
///
/// For the repaired kind it keeps `(V | w)`, the block of `A⁻¹` and the weights, pivoted on the
/// removed: on the diagonal and in `w` stand what the next removal or return of a weight needs. For
/// the plain kind it keeps `A w` of the removed.
struct BlockElimination {
  /// The weights that are removed.
  private(set) var set: UInt16 = 0
  /// `½ w_Sᵀ P w_S`.
  private(set) var cost = 0.0

  private let size: Int
  private var kind = BlockModel.Kind.plain
  /// `V`, pivoted, or `A`; entry (i, j) at `i * size + j`.
  private var matrix: [Double]
  /// `w`, pivoted for the repaired kind.
  private var weights: [Double]
  /// `Σ A_ij w_j` over the removed, for the plain kind.
  private var pull: [Double]

  /// Room for blocks of `size` weights.
  init(size: Int) {
    self.size = size
    matrix = [Double](repeating: 0, count: size * size)
    weights = [Double](repeating: 0, count: size)
    pull = weights
  }

  /// Starts with nothing removed.
  mutating func start(_ model: BlockModel, weights: [Double]) {
    kind = model.kind
    matrix = model.matrix.storage
    self.weights = weights
    set = 0
    cost = 0
    for index in pull.indices { pull[index] = 0 }
  }

  /// What removing one more weight would add to the cost.
  func addition(_ index: Int) -> Double {
    let weight = weights[index]
    let diagonal = matrix[index * size + index]
    switch kind {
    case .repaired: return 0.5 * weight * weight / diagonal
    case .plain: return weight * (pull[index] + 0.5 * weight * diagonal)
    }
  }

  /// The cost after bringing `removed` back and removing `kept` instead.
  func costExchanging(_ removed: Int, for kept: Int) -> Double {
    let (r, k) = (weights[removed], weights[kept])
    let pivot = matrix[removed * size + removed]
    let diagonal = matrix[kept * size + kept]
    let (down, across) = (matrix[kept * size + removed], matrix[removed * size + kept])
    switch kind {
    case .repaired:
      let rest = k - down / pivot * r
      let schur = diagonal - down * across / pivot
      return cost - 0.5 * r * r / pivot + 0.5 * rest * rest / schur
    case .plain:
      let without = cost - r * (pull[removed] - 0.5 * r * pivot)
      return without + k * (pull[kept] - down * r + 0.5 * k * diagonal)
    }
  }

  /// Removes a weight, or brings a removed one back.
  mutating func toggle(_ index: Int) {
    let bit: UInt16 = 1 << UInt16(index)
    let sign: Double = set & bit == 0 ? 1 : -1
    switch kind {
    case .repaired: pivot(on: index, sign)
    case .plain:
      let weight = weights[index]
      let half = 0.5 * weight * matrix[index * size + index]
      cost += sign * weight * (pull[index] + sign * half)
      for other in 0..<size { pull[other] += sign * matrix[other * size + index] * weight }
    }
    set ^= bit
  }

  /// A principal pivot of `(V | w)`; two on the same weight restore what was.
  ///
  /// With `D = V_jj`: row `j` becomes `V_j / D`, other rows lose `V_ij V_j / D`, and column `j`
  /// becomes `−V_ij / D` with `1/D` at the crossing.
  private mutating func pivot(on index: Int, _ sign: Double) {
    let row = index * size
    let pivot = matrix[row + index]
    let weight = weights[index]
    cost += sign * 0.5 * weight * weight / pivot
    for j in 0..<size where j != index { matrix[row + j] /= pivot }
    for i in 0..<size where i != index {
      let entry = matrix[i * size + index]
      for j in 0..<size where j != index { matrix[i * size + j] -= entry * matrix[row + j] }
      weights[i] -= entry / pivot * weight
      matrix[i * size + index] = -entry / pivot
    }
    matrix[row + index] = 1 / pivot
    weights[index] = weight / pivot
  }
}
