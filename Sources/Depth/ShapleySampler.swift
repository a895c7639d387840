import LinearAlgebra

/// Draws walks until the units with the lowest Shapley values are known.
package struct ShapleySampler: Sendable {
  /// The most pairs of walks.
  package var mostPairs: Int
  /// How many of the lowest units' ranks have to be stable.
  package var lowest: Int
  /// Over how many pairs of walks, one after the other, these ranks have to be the same.
  package var patience: Int
  /// A walk ends where the value exceeds this.
  package var cap: Double
  /// The seed of the orders.
  package var seed: UInt64

  /// A sampler.
  package init(
    mostPairs: Int,
    lowest: Int,
    patience: Int = 4,
    cap: Double = .infinity,
    seed: UInt64
  ) {
    precondition(mostPairs > 0 && patience > 0, "at least one pair of walks")
    self.mostPairs = mostPairs
    self.lowest = lowest
    self.patience = patience
    self.cap = cap
    self.seed = seed
  }

  /// Walks until the ranks of the lowest units have been the same for some pairs, or the most pairs
  /// are reached.
  ///
  /// - Parameters:
  ///   - units: The number of units.
  ///   - value: The value of what is left, given the number of the pair of walks and the units that
  ///     are gone in their order. It may depend on the pair, such as on its batch of sequences.
  /// - Returns: The estimate.
  /// - Throws: What `value` throws; ``DepthError/scoreNotFinite(unit:)``.
  package func estimate(
    units: Int,
    value: (_ pair: Int, _ gone: [Int]) throws -> Double
  ) throws -> ShapleyEstimate {
    var estimate = ShapleyEstimate(units: units)
    var generator = OrderGenerator(seed: seed)
    var ranks: [Int] = []
    var unchanged = 0
    while estimate.pairs < mostPairs, unchanged < patience {
      let pair = estimate.pairs
      let order = generator.order(of: units)
      func credits(_ order: [Int]) throws -> [Double] {
        try ShapleyEstimate.credits(order, cap: cap) { try value(pair, $0) }
      }
      estimate.add(try credits(order), try credits(order.reversed()))
      let next = Array(try Elimination.order(estimate.values).prefix(lowest))
      unchanged = next == ranks ? unchanged + 1 : 0
      ranks = next
    }
    return estimate
  }
}

/// Draws orders from a seed (SplitMix64; Steele, Lea and Flood, 2014), the same on every machine.
struct OrderGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// An order of the numbers below `count`, each equally likely (Fisher and Yates).
  mutating func order(of count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) { order.swapAt(last, below(last + 1)) }
    return order
  }

  /// A number below `bound`; the high word of a product has no bias worth mentioning.
  private mutating func below(_ bound: Int) -> Int {
    Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  private mutating func next() -> UInt64 {
    defer { state &+= splitMixStep }
    return scatteredBits(of: state)
  }
}
