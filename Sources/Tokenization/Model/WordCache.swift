/// The tokens of short words that were met before.
struct WordCache {
  /// Up to 15 bytes and their number, packed so that a look-up allocates nothing.
  private struct Key: Hashable {
    var low: UInt64 = 0
    var high: UInt64 = 0

    static let capacity = 15

    init?(_ word: Span<UInt8>) {
      guard word.count <= Self.capacity else { return nil }
      for index in 0..<min(8, word.count) { low = low << 8 | UInt64(word[index]) }
      for index in 8..<max(8, word.count) { high = high << 8 | UInt64(word[index]) }
      high |= UInt64(word.count) << 56
    }

    func hash(into hasher: inout Hasher) {
      hasher.combine(low)
      hasher.combine(high)
    }
  }

  /// Words beyond this number are not kept.
  private static let largestCount = 1 << 20

  private var places: [Key: Range<Int>] = [:]
  private var tokens: [Int32] = []

  /// Appends the tokens of a word to `output`; false if the word is not here.
  func append(_ word: Span<UInt8>, to output: inout [Int32]) -> Bool {
    guard let key = Key(word), let place = places[key] else { return false }
    for index in place { output.append(tokens[index]) }
    return true
  }

  /// Keeps the tokens of a word, if it is short.
  mutating func insert(_ word: Span<UInt8>, tokens found: ArraySlice<Int32>) {
    guard let key = Key(word), places.count < Self.largestCount else { return }
    places[key] = tokens.count..<tokens.count + found.count
    tokens += found
  }
}
