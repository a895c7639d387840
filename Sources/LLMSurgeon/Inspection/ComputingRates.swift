import LinearAlgebra
import Pruning

/// How fast this machine computes, in floating-point operations a second.
struct ComputingRates: Sendable {
  /// Products of matrices, single precision.
  let single: Double
  /// Factorisations and inverses, double precision.
  let double: Double

  /// Measures both, in less than a second.
  ///
  /// - Throws: `FactorizationError` if the library does not factorise the identity.
  static func measured() throws -> ComputingRates {
    let order = 1024
    let cube = Double(order) * Double(order) * Double(order)
    let factor = Matrix<Float>(rows: order, columns: order, repeating: 1)
    var product = Matrix<Float>(rows: order, columns: order)
    let multiplying = shortest { multiplyTiled(factor.view, factor.view, into: &product) }
    var positive = Matrix<Double>(rows: order, columns: order)
    for index in 0..<order { positive[index, index] = 1 }
    let factorising = try shortest { _ = try Cholesky(positive).inverseDiagonal() }
    return ComputingRates(single: 2 * cube / multiplying, double: 2 * cube / 3 / factorising)
  }

  /// The time that some work takes.
  func seconds(_ work: SolverWork) -> Double { work.single / single + work.double / double }

  /// The shortest of a few times, in seconds.
  private static func shortest(_ body: () throws -> Void) rethrows -> Double {
    var best = Duration.seconds(3600)
    for _ in 0..<4 { best = min(best, try ContinuousClock().measure(body)) }
    return max(best.seconds, 1e-9)
  }
}
