/// Why a symmetric matrix cannot be factorised.
package enum FactorizationError: Error, Equatable {
  /// An entry is NaN or infinite.
  case notFinite
  /// The leading minor of this order is not positive definite.
  case notPositiveDefinite(order: Int)
  /// The eigenvalues were not found.
  case noConvergence
}

extension FactorizationError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notFinite:
      "the matrix contains NaN or infinity; look for an overflow in the activations behind it"
    case .notPositiveDefinite(let order):
      "the leading \(order)×\(order) minor is not positive definite; raise the damping"
    case .noConvergence:
      "the eigenvalues were not found; raise the damping"
    }
  }
}
