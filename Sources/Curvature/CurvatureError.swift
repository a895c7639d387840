/// Why a pair of matrices cannot be the curvature of a layer.
package enum CurvatureError: Error, Equatable {
  /// A factor has unequal extents.
  case notSquare(KroneckerFactors.Side, rows: Int, columns: Int)
  /// A factor holds NaN or infinity.
  case notFinite(KroneckerFactors.Side)
  /// A mean square is negative.
  case negativeDiagonal(KroneckerFactors.Side, index: Int)
  /// Nothing was observed, so there is no mean.
  case noTokens
  /// The kept part of a factor has no Cholesky factor, even with the most damping allowed.
  case notPositiveDefinite(order: Int, damping: Double)
}

extension CurvatureError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notSquare(let side, let rows, let columns):
      "the factor of the \(side.rawValue) is \(rows)×\(columns), not square; calibrate again"
    case .notFinite(let side):
      """
      the factor of the \(side.rawValue) contains NaN or infinity; \
      look for an overflow in the calibration
      """
    case .negativeDiagonal(let side, let index):
      """
      entry \(index) on the diagonal of the factor of the \(side.rawValue) is negative, \
      which no mean of squares is; calibrate again
      """
    case .noTokens:
      "no tokens were observed; calibrate on more text"
    case .notPositiveDefinite(let order, let damping):
      """
      a factor of order \(order) has no Cholesky factor even with \(damping) added to its \
      diagonal; raise the damping or calibrate on more text
      """
    }
  }
}
