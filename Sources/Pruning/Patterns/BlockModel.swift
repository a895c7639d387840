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
  /// - Throws: ``FactorizationError`` if the block of `A⁻¹` is not positive definite.
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
