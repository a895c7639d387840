/// Numbers in a random order: all of them once, then again in another order, and so on.
///
/// Which number comes at a place depends on the seed alone, so a run can go on anywhere.
struct ShuffledOrder: Sendable {
  private let count: Int
  private let seed: UInt64
  private var round: (number: Int, order: [Int]) = (-1, [])

  /// The order of the numbers below `count`, which is at least 1.
  init(count: Int, seed: UInt64) {
    precondition(count > 0, "there is something to order")
    self.count = count
    self.seed = seed
  }

  /// The number at a place, from 0.
  mutating func number(at place: Int) -> Int {
    let (number, position) = place.quotientAndRemainder(dividingBy: count)
    if round.number != number {
      var generator = MersenneTwister(seed: seed &+ UInt64(number))
      round = (number, generator.sample(count, below: count))
    }
    return round.order[position]
  }
}
