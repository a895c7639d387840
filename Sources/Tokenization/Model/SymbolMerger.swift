/// Merges the symbols of one word; keeps its memory from word to word.
///
/// The symbols are a linked list, the possible merges a heap: a word of `n` symbols takes
/// `O(n log n)` steps.
struct SymbolMerger {
  /// The symbols to merge; the caller fills them in.
  var symbols: [Int32] = []

  /// The neighbors of each symbol that is still there; `symbols.count` and -1 beyond the ends.
  private var following: [Int] = []
  private var preceding: [Int] = []
  /// The rank of the merge of each symbol with the one behind it.
  private var ranks: [UInt32] = []
  private var queue = MergeQueue()

  /// Merges until no pair is left to merge, and appends the tokens to `output`.
  mutating func merge(with merges: borrowing MergeTable, into output: inout [Int32]) {
    guard symbols.count > 1 else {
      output += symbols
      return
    }
    link(with: merges)
    while let (rank, position) = queue.pop() {
      // A pair that changed since it was entered has another rank.
      guard ranks[position] == rank else { continue }
      join(at: position, into: merges.result(ofRank: rank), with: merges)
    }
    var position = 0
    while position < symbols.count {
      output.append(symbols[position])
      position = following[position]
    }
  }

  private mutating func link(with merges: borrowing MergeTable) {
    let count = symbols.count
    following.removeAll(keepingCapacity: true)
    preceding.removeAll(keepingCapacity: true)
    ranks.removeAll(keepingCapacity: true)
    queue.removeAll()
    for position in 0..<count {
      following.append(position + 1)
      preceding.append(position - 1)
      ranks.append(MergeTable.noRank)
    }
    for position in 0..<count { rankPair(at: position, with: merges) }
  }

  /// Replaces the symbol at a position and the one behind it by what they make.
  private mutating func join(
    at position: Int,
    into result: Int32,
    with merges: borrowing MergeTable
  ) {
    let absorbed = following[position]
    symbols[position] = result
    ranks[absorbed] = MergeTable.noRank
    following[position] = following[absorbed]
    if following[position] < symbols.count { preceding[following[position]] = position }
    if preceding[position] >= 0 { rankPair(at: preceding[position], with: merges) }
    rankPair(at: position, with: merges)
  }

  /// Looks up the merge of the symbol at a position with the one behind it.
  private mutating func rankPair(at position: Int, with merges: borrowing MergeTable) {
    let next = following[position]
    ranks[position] =
      next < symbols.count ? merges.rank(symbols[position], symbols[next]) : MergeTable.noRank
    guard ranks[position] != MergeTable.noRank else { return }
    queue.push(rank: ranks[position], position: position)
  }
}
