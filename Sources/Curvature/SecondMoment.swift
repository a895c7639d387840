package import LinearAlgebra

/// The running mean of `x xᵀ` over the tokens seen so far.
///
/// Sums are single precision, one product per batch: the error is that of a blocked sum.
package struct SecondMoment: Sendable {
  /// The number of entries of a sample, without the appended 1.
  package let width: Int
  /// Whether a 1 is appended to each sample, for a layer with a bias.
  package let appendsOne: Bool
  /// The number of samples seen.
  package private(set) var tokens = 0

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
    total = [Double](repeating: 0, count: appendsOne ? width : 0)
  }

  /// Adds one batch.
  ///
  /// - Parameter samples: One sample a row; shape `[tokens, width]`.
  package mutating func add(_ samples: MatrixView<Float>) {
    precondition(!samples.isTransposed && samples.columns == width, "one sample a row")
    addGram(of: samples, to: &sum)
    tokens += samples.rows
    guard appendsOne else { return }
    let ones = Matrix<Float>(rows: 1, columns: samples.rows, repeating: 1)
    var sums = Matrix<Float>(rows: 1, columns: width)
    multiplyTiled(ones.view, samples, into: &sums)
    for column in 0..<width { total[column] += Double(sums.storage[column]) }
  }

  /// Counts tokens whose samples are all zero, such as gradients behind the last prediction.
  package mutating func addZeros(_ count: Int) {
    precondition(count >= 0 && !appendsOne, "a sample with an appended 1 is not zero")
    tokens += count
  }

  /// The mean of `x xᵀ`, exactly symmetric; shape `[width (+1), width (+1)]`.
  ///
  /// - Throws: ``CurvatureError/noTokens`` before the first sample.
  package func mean() throws(CurvatureError) -> Matrix<Float> {
    guard tokens > 0 else { throw .noTokens }
    let order = width + (appendsOne ? 1 : 0)
    var result = Matrix<Float>(rows: order, columns: order)
    let scale = 1 / Double(tokens)
    for row in 0..<width {
      for column in 0...row {
        result.storage[row * order + column] =
          Float(Double(sum.storage[row * width + column]) * scale)
      }
    }
    if appendsOne {
      for column in 0..<width { result[width, column] = Float(total[column] * scale) }
      result[width, width] = 1
    }
    mirrorLowerTriangle(of: &result)
    return result
  }
}
