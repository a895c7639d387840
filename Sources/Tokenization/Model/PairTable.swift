/// A hash table from pairs of numbers to numbers, by open addressing: the inner loop of encoding
/// asks it for every pair of neighbors.
struct PairTable: Sendable {
  /// What the table says of a pair that it does not hold.
  static let absent = UInt32.max

  private struct Slot {
    var key: UInt64
    var value: UInt32
  }

  /// The key of an empty slot; no token and no scalar has this number.
  private static let empty = UInt64.max

  private var slots: [Slot]
  private let mask: Int

  /// An empty table with room for `capacity` pairs.
  init(capacity: Int) {
    var size = 16
    while size < 2 * capacity { size *= 2 }
    slots = [Slot](repeating: Slot(key: Self.empty, value: Self.absent), count: size)
    mask = size - 1
  }

  /// The value of a pair, or ``absent``; no more pairs may be set than there is room for.
  @inline(__always)
  subscript(left: UInt32, right: UInt32) -> UInt32 {
    get { slots[slot(of: UInt64(left) << 32 | UInt64(right))].value }
    set {
      let key = UInt64(left) << 32 | UInt64(right)
      slots[slot(of: key)] = Slot(key: key, value: newValue)
    }
  }

  /// All pairs with their values, in no particular order.
  var entries: [(left: UInt32, right: UInt32, value: UInt32)] {
    slots.lazy.filter { $0.key != Self.empty }.map {
      (UInt32($0.key >> 32), UInt32(truncatingIfNeeded: $0.key), $0.value)
    }
  }

  /// The slot that holds a key, or the empty one where it belongs.
  @inline(__always)
  private func slot(of key: UInt64) -> Int {
    var hash = key
    hash ^= hash >> 32
    hash &*= 0x9E37_79B9_7F4A_7C15
    hash ^= hash >> 29
    var index = Int(truncatingIfNeeded: hash) & mask
    while slots[index].key != key, slots[index].key != Self.empty { index = (index + 1) & mask }
    return index
  }
}
