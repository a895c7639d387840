/// Shapley values of units from walks downwards: a walk removes the units one after the other and
/// credits each with the rise that its removal causes.
///
/// A unit's value is the mean of its credits over all orders (Shapley, 1953); walks through random
/// orders estimate it. Walks come in antithetic pairs, an order and its reverse, whose mean is one
/// sample of the standard error.
package struct ShapleyEstimate: Equatable, Sendable {
  /// The number of units.
  package let units: Int
  /// The pairs of walks so far.
  package private(set) var pairs = 0

  /// Running means of the pairs' credits, and sums of squared deviations (Welford).
  private var means: [Double]
  private var deviations: [Double]

  /// No walks yet.
  package init(units: Int) {
    self.units = units
    means = [Double](repeating: 0, count: units)
    deviations = means
  }

  /// The values: the mean rise that a unit's removal causes.
  package var values: [Double] { means }

  /// The standard errors of the values; infinite before the second pair.
  package var standardErrors: [Double] {
    deviations.map {
      pairs > 1 ? ($0 / Double(pairs - 1) / Double(pairs)).squareRoot() : .infinity
    }
  }

  /// Adds the credits of an order and of its reverse.
  ///
  /// - Parameters:
  ///   - forward: For each unit the rise that its removal caused in one order.
  ///   - backward: The same in the reverse order.
  package mutating func add(_ forward: [Double], _ backward: [Double]) {
    precondition(forward.count == units && backward.count == units, "a credit for each unit")
    pairs += 1
    for unit in 0..<units {
      let sample = (forward[unit] + backward[unit]) / 2
      let difference = sample - means[unit]
      means[unit] += difference / Double(pairs)
      deviations[unit] += difference * (sample - means[unit])
    }
  }

  /// The credits of one walk.
  ///
  /// - Parameters:
  ///   - order: The units in the order in which they go; each once.
  ///   - cap: The walk ends when the value exceeds this: the units that are left get nothing,
  ///     since what follows is noise. Infinite for none.
  ///   - value: The value of what is left, given the units that are gone in their order.
  /// - Returns: For each unit the rise that its removal causes. They add up to the value at the end
  ///   of the walk less that of the whole.
  /// - Throws: What `value` throws; ``DepthError/scoreNotFinite(unit:)``.
  package static func credits(
    _ order: [Int],
    cap: Double = .infinity,
    value: (_ gone: [Int]) throws -> Double
  ) throws -> [Double] {
    var credits = [Double](repeating: 0, count: order.count)
    var gone: [Int] = []
    var former = try value(gone)
    for unit in order {
      guard former <= cap else { break }
      gone.append(unit)
      let next = try value(gone)
      guard next.isFinite else { throw DepthError.scoreNotFinite(unit: unit) }
      credits[unit] = next - former
      former = next
    }
    return credits
  }
}
