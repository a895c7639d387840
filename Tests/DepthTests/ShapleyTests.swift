import Testing

@testable import Depth

/// A game of four players: the value of what is left when some are gone.
private struct Game {
  /// The value for each set of players that are gone, as bits.
  let values: [Double]
  let players = 4

  init(seed: UInt64) {
    var generator = OrderGenerator(seed: seed)
    values = (0..<16).map { _ in Double(generator.order(of: 100)[0]) }
  }

  func value(_ gone: [Int]) -> Double { values[gone.reduce(0) { $0 | 1 << $1 }] }

  /// The values by the definition, over all subsets of the other players.
  var shapley: [Double] {
    // The share of orders in which a set of n of the 3 others goes before: n! (3 − n)! / 4!.
    let weights = [6.0, 2, 2, 6].map { $0 / 24 }
    return (0..<players).map { player in
      var sum = 0.0
      for others in 0..<16 where others & 1 << player == 0 {
        let rise = values[others | 1 << player] - values[others]
        sum += weights[others.nonzeroBitCount] * rise
      }
      return sum
    }
  }
}

@Suite("Shapley values")
struct ShapleyTests {
  private static func orders(_ units: [Int]) -> [[Int]] {
    units.count < 2
      ? [units]
      : units.flatMap { first in
        orders(units.filter { $0 != first }).map { [first] + $0 }
      }
  }

  @Test("over all orders they are those of the definition over all subsets", arguments: 1...3)
  func bruteForce(seed: Int) throws {
    let game = Game(seed: UInt64(seed))
    var estimate = ShapleyEstimate(units: 4)
    for order in Self.orders([0, 1, 2, 3]) {
      estimate.add(
        try ShapleyEstimate.credits(order, value: game.value),
        try ShapleyEstimate.credits(order.reversed(), value: game.value)
      )
    }
    for (found, expected) in zip(estimate.values, game.shapley) {
      // Means of 24 numbers below 100.
      #expect(abs(found - expected) <= 1e-11)
    }
  }

  @Test("from random orders they are within the standard errors")
  func sampled() throws {
    let game = Game(seed: 9)
    let sampler = ShapleySampler(mostPairs: 400, lowest: 4, patience: 401, seed: 5)
    let estimate = try sampler.estimate(units: 4) { _, gone in game.value(gone) }
    #expect(estimate.pairs == 400)
    for unit in 0..<4 {
      let error = estimate.standardErrors[unit]
      #expect(error > 0)
      // Four standard errors are exceeded once in 16,000.
      #expect(abs(estimate.values[unit] - game.shapley[unit]) <= 4 * error)
    }
  }

  @Test("they add up to the value of nothing less that of everything")
  func efficiency() throws {
    let game = Game(seed: 4)
    let sampler = ShapleySampler(mostPairs: 3, lowest: 2, seed: 1)
    let estimate = try sampler.estimate(units: 4) { _, gone in game.value(gone) }
    let sum = estimate.values.reduce(0, +)
    #expect(abs(sum - (game.values[15] - game.values[0])) <= 1e-11)
  }

  @Test("a walk that exceeds the cap ends: the units that are left get nothing")
  func truncation() throws {
    let values = [0.0, 1, 5, 6]
    let credits = try ShapleyEstimate.credits([2, 0, 1], cap: 4) { values[$0.count] }
    #expect(credits == [4, 0, 1])
    var seen = 0
    _ = try ShapleyEstimate.credits([2, 0, 1], cap: 4) { gone in
      seen = max(seen, gone.count)
      return values[gone.count]
    }
    #expect(seen == 2)
  }

  @Test("units that play the same part get the same value")
  func symmetry() throws {
    // What matters is how many are gone.
    let sampler = ShapleySampler(mostPairs: 6, lowest: 1, patience: 7, seed: 2)
    let estimate = try sampler.estimate(units: 3) { _, gone in Double(gone.count * gone.count) }
    // The reverse order of an antithetic pair makes credits 1, 3, 5 into 3 for each unit.
    #expect(estimate.values == [3, 3, 3])
    #expect(estimate.standardErrors == [0, 0, 0])
  }

  @Test("walks end when the ranks of the lowest units are stable")
  func stopping() throws {
    let sampler = ShapleySampler(mostPairs: 50, lowest: 2, patience: 3, seed: 3)
    let estimate = try sampler.estimate(units: 4) { _, gone in
      gone.reduce(0) { $0 + Double($1) }
    }
    #expect(estimate.pairs == 4)
    #expect(estimate.values == [0, 1, 2, 3])
  }

  @Test("one pair has no standard error yet")
  func single() throws {
    let sampler = ShapleySampler(mostPairs: 1, lowest: 1, seed: 3)
    let estimate = try sampler.estimate(units: 2) { _, gone in Double(gone.count) }
    #expect(estimate.standardErrors == [.infinity, .infinity])
  }

  @Test("a value that is no number is refused with the unit")
  func notFinite() {
    #expect(throws: DepthError.scoreNotFinite(unit: 1)) {
      try ShapleyEstimate.credits([0, 1]) { $0.count == 2 ? .nan : 0 }
    }
  }

  @Test("orders are drawn alike from one seed, each as often as the others")
  func orders() {
    var counts: [[Int]: Int] = [:]
    var generator = OrderGenerator(seed: 11)
    for _ in 0..<6000 { counts[generator.order(of: 3), default: 0] += 1 }
    #expect(counts.count == 6)
    let deviation = counts.values.reduce(0.0) { $0 + Double(($1 - 1000) * ($1 - 1000)) / 1000 }
    // χ² with five degrees of freedom exceeds 20.5 once in a thousand seeds.
    #expect(deviation < 20.5)
    var again = OrderGenerator(seed: 11)
    var once = OrderGenerator(seed: 11)
    #expect(again.order(of: 9) == once.order(of: 9))
  }
}
