package import LinearAlgebra

/// Gathers the mean of `v vᵀ` over the rows `v` of many batches: a factor `A` or `G`.
///
/// Sums are kept in single precision, one blocked product a batch; the error is that of a blocked
/// sum, far below that of the mean itself.
package struct SecondMoment: Sendable {
  private var products: Matrix<Float>
  private var sums: Matrix<Float>
  private let hasConstant: Bool
  /// The number of rows seen.
  package private(set) var count = 0

  /// A moment that has seen nothing.
  ///
  /// - Parameters:
  ///   - order: The length of `v`.
  ///   - hasConstant: Whether each `v` is extended by a trailing 1, for a layer with a bias.
  package init(order: Int, hasConstant: Bool = false) {
    products = Matrix(rows: order, columns: order)
    sums = Matrix(rows: 1, columns: order)
    self.hasConstant = hasConstant
  }

  /// Adds the rows of a batch.
  ///
  /// - Parameter samples: One `v` a row, without the trailing 1; shape `[samples, order]`.
  package mutating func add(_ samples: Matrix<Float>) {
    addGram(of: samples.view, to: &products)
    if hasConstant {
      let ones = Matrix<Float>(rows: 1, columns: samples.rows, repeating: 1)
      multiplyTiled(ones.view, samples.view, keeping: 1, into: &sums)
    }
    count += samples.rows
  }

  /// The mean over all rows, symmetric; shape `[order, order]`, one more with the trailing 1.
  ///
  /// - Returns: The mean; zero if nothing was added.
  package func mean() -> Matrix<Float> {
    let order = products.rows
    let extended = hasConstant ? order + 1 : order
    var result = Matrix<Float>(rows: extended, columns: extended)
    let scale = 1 / Float(max(1, count))
    for row in 0..<order {
      for column in 0...row {
        let value = products[row, column] * scale
        result[row, column] = value
        result[column, row] = value
      }
      if hasConstant {
        result[order, row] = sums[0, row] * scale
        result[row, order] = sums[0, row] * scale
      }
    }
    if hasConstant { result[order, order] = count > 0 ? 1 : 0 }
    return result
  }
}
