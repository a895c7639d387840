package import LinearAlgebra

/// The Cholesky factor of the kept part of a damped factor.
///
/// Inverting the kept part, rather than cutting a part out of the inverse, is what conditions on
/// the removed: their weights are zero and stay zero.
package struct ConditionedFactor: Sendable {
  /// The kept entries, rising.
  package let kept: [Int]
  /// The factorised submatrix; its order is the number of kept entries, which may be zero.
  package let cholesky: Cholesky
  /// How often the damping had to be raised for the factorisation to succeed.
  package let timesRaised: Int

  /// The most often that damping is raised, each time tenfold.
  package static let mostRaises = 4

  /// The share of the mean diagonal that is tried first where there was no damping to raise.
  private static let smallestShare = 1e-8

  /// Factorises the kept part, with more damping if it must be.
  ///
  /// - Throws: ``CurvatureError/notPositiveDefinite(order:damping:)`` if the most damping allowed
  ///   does not suffice, ``CurvatureError/notFinite(_:)`` for NaN or infinity.
  package init(
    _ factor: DampedFactor,
    keeping kept: [Int],
    side: KroneckerFactors.Side
  ) throws(CurvatureError) {
    var raises = 0
    while true {
      do throws(FactorizationError) {
        cholesky = try Cholesky(Self.submatrix(factor, kept, raises: raises))
        self.kept = kept
        timesRaised = raises
        return
      } catch .notFinite {
        throw .notFinite(side)
      } catch {
        guard raises < Self.mostRaises else {
          let most = kept.map { Self.added(factor, kept, $0, raises: raises) }.max() ?? 0
          throw .notPositiveDefinite(order: kept.count, damping: most)
        }
        raises += 1
      }
    }
  }

  private static func submatrix(
    _ factor: DampedFactor,
    _ kept: [Int],
    raises: Int
  ) -> Matrix<Double> {
    let order = kept.count
    var result = Matrix<Double>(rows: order, columns: order)
    let source = factor.matrix
    let floor = raises == 0 ? 0 : smallest(factor, kept)
    guard order > 0 else { return result }
    concurrentChunks(of: &result.storage, size: order) { row, entries in
      let start = kept[row] * source.columns
      let values = source.elements
      // Only the lower triangle is read.
      for column in 0...row { entries[column] = Double(values[start + kept[column]]) }
      entries[row] += max(factor.added[kept[row]], floor) * power(raises)
    }
    return result
  }

  private static func added(
    _ factor: DampedFactor,
    _ kept: [Int],
    _ index: Int,
    raises: Int
  ) -> Double {
    max(factor.added[index], raises == 0 ? 0 : smallest(factor, kept)) * power(raises)
  }

  private static func smallest(_ factor: DampedFactor, _ kept: [Int]) -> Double {
    let sum = kept.reduce(0) { $0 + Double(factor.matrix[$1, $1]) }
    return smallestShare * sum / Double(max(1, kept.count))
  }

  private static func power(_ raises: Int) -> Double {
    (0..<raises).reduce(1) { value, _ in value * 10 }
  }
}
