import Transformer

/// The windows of a training in the order in which they are taken: all of them once in a random
/// order, then again in another.
///
/// The windows are cut from one long stream without padding. Which window comes at a place depends
/// on the seed alone, so a run can go on anywhere.
struct TrainingWindows: Sendable {
  let windows: TokenWindows
  let seed: UInt64
  private var order: (epoch: Int, windows: [Int]) = (-1, [])

  /// The order of some windows by a seed.
  init(_ windows: TokenWindows, seed: UInt64) {
    self.windows = windows
    self.seed = seed
  }

  /// Some consecutive windows of the order.
  ///
  /// - Parameters:
  ///   - first: The place of the first one, from 0.
  ///   - count: How many.
  /// - Returns: Their tokens.
  /// - Throws: Never for windows of a positive length.
  mutating func sequences(from first: Int, count: Int) throws -> TokenSequences {
    let tokens = (first..<first + count).flatMap { windows[window(at: $0)] }
    return try TokenSequences(tokens: tokens, length: windows.length)
  }

  private mutating func window(at place: Int) -> Int {
    let (epoch, position) = place.quotientAndRemainder(dividingBy: windows.count)
    if order.epoch != epoch {
      var generator = MersenneTwister(seed: seed &+ UInt64(epoch))
      order = (epoch, generator.sample(windows.count, below: windows.count))
    }
    return order.windows[position]
  }
}
