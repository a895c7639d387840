import LinearAlgebra

/// What a block of weights costs by the activations alone, for rows with `ρ = 1`.
struct BlockModel: Sendable {
  /// How the cost of a removed set `S` follows from the matrix.
  enum Kind: Sendable {
    /// `½ w_Sᵀ ((A⁻¹)_SS)⁻¹ w_S`: the others make up for it; the matrix is the block of `A⁻¹`.
    case repaired
    /// `½ w_Sᵀ A_SS w_S`: nothing does; the matrix is the block of `A`.
    case plain
  }

  let kind: Kind
  /// A block of `A⁻¹` or `A`; rows and columns that are not alive are not read.
  let matrix: Matrix<Double>
  /// The weights whose inputs count; the others cost nothing.
  let alive: UInt16

  /// The matrix `P` with cost `½ w_Sᵀ P w_S`; zero for weights that are not alive.
  ///
  /// - Parameter set: `S`.
  /// - Returns: `P` in the order of the set's members.
  func quadratic(of set: UInt16) throws(FactorizationError) -> Matrix<Double> {
    let all = members(set)
    let places = all.indices.filter { alive >> all[$0] & 1 == 1 }
    let chosen = places.map { all[$0] }
    let part = matrix.selecting(rows: chosen, columns: chosen)
    var result = Matrix<Double>(rows: all.count, columns: all.count)
    let inner = kind == .plain ? part : try Cholesky(part).inverse()
    result.scatter(inner, rows: places, columns: places)
    return result
  }
}

/// A search for the cheapest set of a block, one weight at a time.
///
/// Keeps a set `S` and what each further weight would cost in addition. For the repaired kind that
/// is a principal pivot of the block of `A⁻¹`, which a second pivot on the same weight undoes.
struct BlockElimination {
  private var matrix: Matrix<Double>
  private var weights: [Double]
  private let kind: BlockModel.Kind
  /// The weights that are removed and count.
  private(set) var set: UInt16 = 0
  /// `½ w_Sᵀ P w_S`.
  private(set) var cost = 0.0

  init(_ model: BlockModel, weights: [Double]) {
    matrix = model.matrix
    self.weights = weights
    kind = model.kind
  }

  /// What removing one more weight would add to the cost.
  func addition(_ index: Int) -> Double {
    switch kind {
    case .repaired: 0.5 * weights[index] * weights[index] / matrix[index, index]
    case .plain: 0.5 * weights[index] * (weights[index] * matrix[index, index] + 2 * pull(index))
    }
  }

  /// `Σ A_ij w_j` over the removed.
  private func pull(_ index: Int) -> Double {
    members(set).reduce(0) { $0 + matrix[index, $1] * weights[$1] }
  }

  /// Removes a weight, or brings a removed one back.
  mutating func toggle(_ index: Int) {
    let bit: UInt16 = 1 << UInt16(index)
    let isReturning = set & bit != 0
    switch kind {
    case .plain:
      if isReturning { set ^= bit }
      cost += isReturning ? -addition(index) : addition(index)
      if !isReturning { set ^= bit }
    case .repaired:
      sweep(index)
      set ^= bit
    }
  }

  /// Gauss–Jordan elimination of one weight on `(V | w)`.
  ///
  /// With `D = V_jj`: row `j` becomes `V_j / D`, other rows lose `V_ij V_j / D`, and column `j`
  /// becomes `−V_ij / D` with `1/D` at the crossing. Doing it twice restores what was.
  private mutating func sweep(_ index: Int) {
    let isReturning = set >> UInt16(index) & 1 == 1
    let pivot = matrix[index, index]
    let weight = weights[index]
    cost += (isReturning ? -1 : 1) * 0.5 * weight * weight / pivot
    let row = (0..<matrix.columns).map { matrix[index, $0] }
    let column = (0..<matrix.rows).map { matrix[$0, index] }
    for i in 0..<matrix.rows where i != index {
      let share = column[i] / pivot
      weights[i] -= share * weight
      for j in 0..<matrix.columns where j != index { matrix[i, j] -= share * row[j] }
      matrix[i, index] = -share
    }
    for j in 0..<matrix.columns where j != index { matrix[index, j] = row[j] / pivot }
    matrix[index, index] = 1 / pivot
    weights[index] = weight / pivot
  }
}
