package import LinearAlgebra

/// The running mean of `(x − x′) x′ᵀ` over the tokens seen so far: how a layer's inputs `x` and what
/// has become of them, `x′`, drift apart, seen from `x′`.
///
/// Sums are single precision, one product per batch, as those of ``SecondMoment``.
package struct DriftMoment: Sendable {
  /// The number of entries of a sample, without the appended 1.
  package let width: Int
  /// Whether a 1 is appended to each sample, for a layer with a bias; it does not drift.
  package let appendsOne: Bool

  private var tokens = 0
  private var sum: Matrix<Float>
  private var total: [Double]

  /// An empty sum.
  ///
  /// - Parameters:
  ///   - width: The number of entries of a sample.
  ///   - appendsOne: Whether a 1 is appended to each sample, for a layer with a bias.
  package init(width: Int, appendsOne: Bool) {
    self.width = width
    self.appendsOne = appendsOne
    sum = Matrix(rows: width, columns: width)
    total = [Double](repeating: 0, count: width)
  }

  /// Adds one piece of a batch.
  ///
  /// - Parameters:
  ///   - original: `x`, one sample a row; shape `[tokens, width]`.
  ///   - current: `x′` of the same tokens; shape `[tokens, width]`.
  package mutating func add(original: Matrix<Float>, current: Matrix<Float>) {
    precondition(
      original.rows == current.rows && original.columns == width && current.columns == width,
      "two samples of every token"
    )
    var drift = original
    for index in drift.storage.indices { drift.storage[index] -= current.storage[index] }
    multiplyTiled(drift.view.transposed, current.view, keeping: 1, into: &sum)
    tokens += drift.rows
    guard appendsOne else { return }
    for row in 0..<drift.rows {
      for column in 0..<width { total[column] += Double(drift[row, column]) }
    }
  }

  /// The mean of `(x − x′) x′ᵀ`, where `x′` has the appended 1; shape `[width, width (+1)]`.
  ///
  /// - Throws: ``CurvatureError/noTokens`` before the first sample.
  package func mean() throws(CurvatureError) -> Matrix<Float> {
    guard tokens > 0 else { throw .noTokens }
    let scale = 1 / Double(tokens)
    var result = Matrix<Float>(rows: width, columns: width + (appendsOne ? 1 : 0))
    for row in 0..<width {
      for column in 0..<width { result[row, column] = Float(Double(sum[row, column]) * scale) }
      if appendsOne { result[row, width] = Float(total[row] * scale) }
    }
    return result
  }
}
