package import LinearAlgebra

/// Sums over tokens from which the rise of the loss is predicted when a unit is removed and the best
/// linear map of what runs before it makes up for it.
///
/// With `u` what the unit adds to the hidden state, `x` what the part before it adds, and `g` the
/// gradient of the loss behind the unit, the curvature of the loss there is taken as `G`, the mean of
/// `g gᵀ`, alike for all tokens, and the rise as `½ tr(G S)`, where `S` is the mean of
/// `(u − E x − b)(u − E x − b)ᵀ` for the best `E` and `b`: the quadratic model by which layers are
/// pruned, at the output of a part. Double precision.
package struct RemovalSums: Sendable {
  /// The tokens that are worked on at a time.
  private static let tokensAtOnce = 1024
  /// `λ` as a share of the mean square of a channel of `x`; no unit.
  private static let ridge = 1e-3

  /// Whether a constant `b` can be added too.
  private let hasBias: Bool
  /// The sums of `x` and `u`; nil where nothing runs before the unit.
  private var repair: EmulatorSums?
  /// `Σ u`.
  private var update: [Double]
  /// `Σ u uᵀ`, its lower triangle.
  private var updateUpdate: Matrix<Double>
  /// `Σ g gᵀ`, its lower triangle.
  private var gradientGradient: Matrix<Double>
  private var tokens = 0

  /// Nothing seen yet.
  ///
  /// - Parameters:
  ///   - width: The width of `x`, `u` and `g`.
  ///   - hasRepair: Whether something runs before the unit.
  ///   - hasBias: Whether that can hold a constant.
  package init(width: Int, hasRepair: Bool, hasBias: Bool) {
    self.hasBias = hasRepair && hasBias
    repair = hasRepair ? EmulatorSums(width: width) : nil
    update = [Double](repeating: 0, count: width)
    updateUpdate = Matrix(rows: width, columns: width)
    gradientGradient = updateUpdate
  }

  /// Adds some tokens.
  ///
  /// - Parameters:
  ///   - inputs: `x`; nil where nothing runs before the unit. Shape `[tokens, width]`, as of the others.
  ///   - updates: `u`.
  ///   - gradients: `g`.
  package mutating func add(
    inputs: Matrix<Float>?,
    updates: Matrix<Float>,
    gradients: Matrix<Float>
  ) {
    precondition(gradients.rows == updates.rows && gradients.columns == updates.columns)
    precondition((inputs == nil) == (repair == nil), "what the sums are for")
    if let inputs {
      let weights = [Double](repeating: 1, count: inputs.rows)
      repair?.add(inputs: inputs, updates: updates, weights: weights)
    }
    for first in stride(from: 0, to: updates.rows, by: Self.tokensAtOnce) {
      let rows = first..<min(updates.rows, first + Self.tokensAtOnce)
      let (u, g) = (updates.widened(rows: rows), gradients.widened(rows: rows))
      for row in 0..<u.rows {
        for column in 0..<u.columns { update[column] += u[row, column] }
      }
      addGram(of: u.view, to: &updateUpdate)
      addGram(of: g.view, to: &gradientGradient)
    }
    tokens += updates.rows
  }

  /// The predicted rise of the mean loss, in nats per token.
  ///
  /// - Throws: ``DepthError/fitFailed(reason:)`` if the sums are not finite or the map has no solution.
  package func predictedRise() throws(DepthError) -> Double {
    guard tokens > 0 else { throw .fitFailed(reason: "no token was seen") }
    guard updateUpdate.isFinite, gradientGradient.isFinite else {
      throw .fitFailed(reason: "hidden states or gradients overflow")
    }
    var (residual, gradients) = (updateUpdate, gradientGradient)
    mirrorLowerTriangle(of: &residual)
    mirrorLowerTriangle(of: &gradients)
    if hasBias {
      for row in update.indices {
        for column in update.indices {
          residual[row, column] -= update[row] * update[column] / Double(tokens)
        }
      }
    }
    let unrepaired = gradients.inner(residual)
    guard let repair else { return scaled(unrepaired) }
    // ⟨G, S_uu − E S_xu − S_ux Eᵀ + E S_xx Eᵀ⟩.
    let map = try Emulator(.full, repair, ridge: Self.ridge, hasBias: hasBias).map
    let (xx, ux, _) = repair.moments(isCentred: hasBias)
    var left = Matrix<Double>(rows: map.rows, columns: map.columns)
    multiplyTiled(gradients.view, map.view, into: &left)
    var explained = Matrix<Double>(rows: map.rows, columns: map.columns)
    multiplyTiled(map.view, xx.view, into: &explained)
    return scaled(unrepaired - 2 * left.inner(ux) + left.inner(explained))
  }

  /// Half of the mean over pairs of a token's update and a token's gradient; not below zero.
  private func scaled(_ sum: Double) -> Double {
    max(0, sum / 2 / Double(tokens) / Double(tokens))
  }
}

extension Matrix<Float> {
  /// Some rows in double precision.
  fileprivate func widened(rows: Range<Int>) -> Matrix<Double> {
    let range = rows.lowerBound * columns..<rows.upperBound * columns
    return Matrix<Double>(
      rows: rows.count,
      columns: columns,
      storage: storage[range].map(Double.init)
    )
  }
}
