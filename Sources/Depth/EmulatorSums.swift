package import LinearAlgebra

/// Weighted sums over tokens from which a linear map `x ↦ y` is fitted, in double precision.
///
/// They are gathered in one pass; no token is kept.
package struct EmulatorSums: Sendable {
  /// The tokens that are worked on at a time.
  private static let tokensAtOnce = 1024

  /// The width of `x` and of `y`.
  package let width: Int
  /// `Σ w`.
  private(set) var weight = 0.0
  /// `Σ w x`.
  private(set) var input: [Double]
  /// `Σ w y`.
  private(set) var update: [Double]
  /// `Σ w x xᵀ`, its lower triangle.
  private(set) var inputInput: Matrix<Double>
  /// `Σ w y xᵀ`.
  private(set) var updateInput: Matrix<Double>
  /// `Σ w y ∘ y`.
  private(set) var updateSquares: [Double]

  /// Nothing seen yet.
  package init(width: Int) {
    self.width = width
    input = [Double](repeating: 0, count: width)
    update = input
    updateSquares = input
    inputInput = Matrix(rows: width, columns: width)
    updateInput = inputInput
  }

  /// Adds some tokens.
  ///
  /// - Parameters:
  ///   - inputs: `x`, shape `[tokens, width]`.
  ///   - updates: `y`, of the same shape.
  ///   - weights: `w`, a number that is not negative for each token; with 0 it is not looked at.
  package mutating func add(inputs: Matrix<Float>, updates: Matrix<Float>, weights: [Double]) {
    precondition(inputs.columns == width && updates.columns == width, "vectors of this width")
    precondition(inputs.rows == weights.count && updates.rows == weights.count, "one weight each")
    for first in stride(from: 0, to: weights.count, by: Self.tokensAtOnce) {
      let rows = first..<min(weights.count, first + Self.tokensAtOnce)
      let roots = rows.map { weights[$0].squareRoot() }
      addPart(scaled(inputs, rows, by: roots), scaled(updates, rows, by: roots), roots)
    }
  }

  /// Adds tokens that are multiplied by the roots of their weights.
  private mutating func addPart(_ x: Matrix<Double>, _ y: Matrix<Double>, _ roots: [Double]) {
    for (row, root) in roots.enumerated() {
      weight += root * root
      for column in 0..<width {
        input[column] += root * x[row, column]
        update[column] += root * y[row, column]
        updateSquares[column] += y[row, column] * y[row, column]
      }
    }
    addGram(of: x.view, to: &inputInput)
    multiplyTiled(y.transposedView, x.view, keeping: 1, into: &updateInput)
  }

  /// Some rows, each times a number; zeros where that is zero, whatever the row holds.
  private func scaled(
    _ matrix: Matrix<Float>,
    _ rows: Range<Int>,
    by factors: [Double]
  ) -> Matrix<Double> {
    var result = Matrix<Double>(rows: rows.count, columns: width)
    for (row, source) in rows.enumerated() where factors[row] != 0 {
      for column in 0..<width {
        result[row, column] = Double(matrix[source, column]) * factors[row]
      }
    }
    return result
  }

  /// The sums about the means, or about zero.
  ///
  /// - Parameter isCentred: Whether a constant is fitted too, so that only deviations count.
  /// - Returns: `S_xx`, exactly symmetric, `S_yx`, and the diagonal of `S_yy`.
  func moments(
    isCentred: Bool
  ) -> (inputInput: Matrix<Double>, updateInput: Matrix<Double>, updateSquares: [Double]) {
    var (xx, yx, yy) = (inputInput, updateInput, updateSquares)
    if isCentred, weight > 0 {
      for row in 0..<width {
        for column in 0..<width {
          xx[row, column] -= input[row] * input[column] / weight
          yx[row, column] -= update[row] * input[column] / weight
        }
        yy[row] -= update[row] * update[row] / weight
      }
    }
    mirrorLowerTriangle(of: &xx)
    return (xx, yx, yy)
  }
}
