import Transformer

/// The windows of a training in the order in which they are taken.
///
/// The windows are cut from one long stream without padding.
struct TrainingWindows: Sendable {
  let windows: TokenWindows
  private var order: ShuffledOrder

  /// The order of some windows by a seed.
  init(_ windows: TokenWindows, seed: UInt64) {
    self.windows = windows
    order = ShuffledOrder(count: windows.count, seed: seed)
  }

  /// Some consecutive windows of the order.
  ///
  /// - Parameters:
  ///   - first: The place of the first one, from 0.
  ///   - count: How many.
  /// - Returns: Their tokens.
  /// - Throws: Never for windows of a positive length.
  mutating func sequences(from first: Int, count: Int) throws -> TokenSequences {
    var tokens: [Int] = []
    for place in first..<first + count { tokens += windows[order.number(at: place)] }
    return try TokenSequences(tokens: tokens, length: windows.length)
  }
}
