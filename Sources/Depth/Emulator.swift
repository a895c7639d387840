package import LinearAlgebra

/// A linear map `y ≈ E x + b` that stands in for the update of what is gone, in closed form.
package struct Emulator: Sendable {
  /// The form of the map.
  package enum Kind: Equatable, Sendable {
    /// `E = 0`, `b` the mean of `y`.
    case bias
    /// `E` diagonal: `cov(xⱼ, yⱼ) / var(xⱼ)`.
    case diagonal
    /// `E = S_yx (S_xx + λ I)⁻¹`: ridge regression.
    case full
    /// The best `E` of that rank: reduced-rank regression, `V Vᵀ E` with the full `E` and the first
    /// eigenvectors `V` of `E (S_xx + λ I) Eᵀ`.
    case rank(Int)
  }

  /// `E`, shape `[width, width]`.
  package let map: Matrix<Double>
  /// `b`; nil where no constant was fitted.
  package let bias: [Double]?
  /// The weighted mean of `‖y − E x − b‖²` over the tokens that were fitted.
  package let residual: Double

  /// Fits a map.
  ///
  /// - Parameters:
  ///   - kind: Its form.
  ///   - sums: What was seen; some token has a weight.
  ///   - ridge: `λ` as a share of the mean diagonal entry of `S_xx`; no unit.
  ///   - hasBias: Whether a constant is fitted too; `bias` is nothing but one.
  /// - Throws: ``DepthError/fitFailed(reason:)`` if the sums are not finite or `S_xx + λ I` has no
  ///   inverse.
  package init(
    _ kind: Kind,
    _ sums: EmulatorSums,
    ridge: Double,
    hasBias: Bool
  ) throws(DepthError) {
    precondition(hasBias || kind != .bias, "a bias is a constant")
    precondition(ridge >= 0 && ridge.isFinite, "a share that is not negative")
    guard sums.weight > 0, sums.weight.isFinite else {
      throw .fitFailed(reason: "no token has a weight")
    }
    let (xx, yx, yy) = sums.moments(isCentred: hasBias)
    guard xx.isFinite, yx.isFinite, yy.allSatisfy(\.isFinite) else {
      throw .fitFailed(reason: "the hidden states overflow")
    }
    map =
      switch kind {
      case .bias: Matrix(rows: sums.width, columns: sums.width)
      case .diagonal: Self.diagonal(xx, yx)
      case .full: try Self.full(xx, yx, ridge).map
      case .rank(let rank): try Self.reduced(xx, yx, ridge, rank: rank)
      }
    bias = hasBias ? Self.constant(map, sums) : nil
    residual = Self.residual(map, xx, yx, yy) / sums.weight
  }

  private static func diagonal(_ xx: Matrix<Double>, _ yx: Matrix<Double>) -> Matrix<Double> {
    var map = Matrix<Double>(rows: xx.rows, columns: xx.rows)
    // A channel that never varies explains nothing.
    for index in 0..<xx.rows where xx[index, index] > 0 {
      map[index, index] = yx[index, index] / xx[index, index]
    }
    return map
  }

  /// The ridge regression, and `S_xx + λ I`.
  private static func full(
    _ xx: Matrix<Double>,
    _ yx: Matrix<Double>,
    _ ridge: Double
  ) throws(DepthError) -> (map: Matrix<Double>, damped: Matrix<Double>) {
    let mean = xx.diagonal.reduce(0, +) / Double(max(1, xx.rows))
    // Inputs that never vary explain nothing.
    guard mean > 0 else { return (Matrix(rows: yx.rows, columns: yx.columns), xx) }
    var damped = xx
    for index in 0..<xx.rows { damped[index, index] += ridge * mean }
    var map = yx
    do { try Cholesky(damped).solveFromRight(&map) } catch {
      throw .fitFailed(reason: "\(error)")
    }
    return (map, damped)
  }

  private static func reduced(
    _ xx: Matrix<Double>,
    _ yx: Matrix<Double>,
    _ ridge: Double,
    rank: Int
  ) throws(DepthError) -> Matrix<Double> {
    precondition(rank >= 0, "a rank")
    let width = xx.rows
    let (map, damped) = try full(xx, yx, ridge)
    guard rank < width else { return map }
    // E (S_xx + λ I) Eᵀ = S_yx Eᵀ.
    let explained = product(
      product(map.view, damped.view, width, width).view,
      map.transposedView,
      width,
      width
    )
    let eigen: SymmetricEigen
    do { eigen = try SymmetricEigen(explained) } catch { throw .fitFailed(reason: "\(error)") }
    let top = eigen.vectors.selecting(
      rows: Array(width - rank..<width),
      columns: Array(0..<width)
    )
    let part = product(top.view, map.view, rank, width)
    return product(top.transposedView, part.view, width, width)
  }

  /// `mean y − E mean x`.
  private static func constant(_ map: Matrix<Double>, _ sums: EmulatorSums) -> [Double] {
    (0..<sums.width).map { row in
      let shift = (0..<sums.width).reduce(0) { $0 + map[row, $1] * sums.input[$1] }
      return (sums.update[row] - shift) / sums.weight
    }
  }

  /// `tr S_yy − 2 tr(E S_xy) + tr(E S_xx Eᵀ)`, not below zero.
  private static func residual(
    _ map: Matrix<Double>,
    _ xx: Matrix<Double>,
    _ yx: Matrix<Double>,
    _ yy: [Double]
  ) -> Double {
    let quadratic = product(map.view, xx.view, map.rows, map.rows).inner(map)
    return max(0, yy.reduce(0, +) - 2 * map.inner(yx) + quadratic)
  }
}

/// The product of two matrices as they are read, of that many rows and columns.
private func product(
  _ left: MatrixView<Double>,
  _ right: MatrixView<Double>,
  _ rows: Int,
  _ columns: Int
) -> Matrix<Double> {
  var result = Matrix<Double>(rows: rows, columns: columns)
  multiplyTiled(left, right, into: &result)
  return result
}
