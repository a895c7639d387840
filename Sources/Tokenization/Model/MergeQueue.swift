/// A binary heap of merges to do: the one of the lowest rank first, of equal ones the leftmost.
struct MergeQueue {
  /// Rank in the upper half, position in the lower, so that numbers compare as merges do.
  private var heap: [UInt64] = []

  /// Forgets all merges.
  mutating func removeAll() { heap.removeAll(keepingCapacity: true) }

  /// Enters the merge of a rank at a position.
  mutating func push(rank: UInt32, position: Int) {
    let item = UInt64(rank) << 32 | UInt64(position)
    var hole = heap.count
    heap.append(item)
    while hole > 0 {
      let parent = (hole - 1) / 2
      guard heap[parent] > item else { break }
      heap[hole] = heap[parent]
      hole = parent
    }
    heap[hole] = item
  }

  /// Takes the next merge out; nil if there is none.
  mutating func pop() -> (rank: UInt32, position: Int)? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    if !heap.isEmpty { sink(last) }
    return (UInt32(first >> 32), Int(first & 0xFFFF_FFFF))
  }

  /// Puts an item where the first one was, then down to its place.
  private mutating func sink(_ item: UInt64) {
    var hole = 0
    while true {
      var child = 2 * hole + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < item else { break }
      heap[hole] = heap[child]
      hole = child
    }
    heap[hole] = item
  }
}
