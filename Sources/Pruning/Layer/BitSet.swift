/// A set of indices below a fixed bound, one bit each.
package struct BitSet: Hashable, Sendable {
  /// The bound: indices are `0..<count`.
  package let count: Int
  /// The bits, lowest index first; bits past the bound are zero.
  package private(set) var words: [UInt64]

  /// All indices or none.
  package init(count: Int, repeating isMember: Bool) {
    precondition(count >= 0, "a set has no negative bound")
    self.count = count
    words = [UInt64](repeating: isMember ? .max : 0, count: (count + 63) / 64)
    clearPadding()
  }

  /// The given indices.
  package init(count: Int, indices: some Sequence<Int>) {
    self.init(count: count, repeating: false)
    for index in indices { self[index] = true }
  }

  /// Takes bits that were stored, or nothing if they do not fit the bound.
  package init?(count: Int, words: [UInt64]) {
    guard count >= 0, words.count == (count + 63) / 64 else { return nil }
    self.count = count
    self.words = words
    clearPadding()
    guard self.words == words else { return nil }
  }

  private mutating func clearPadding() {
    let used = count % 64
    if used != 0 { words[words.count - 1] &= (1 << UInt64(used)) - 1 }
  }

  /// Whether `index` is in the set.
  package subscript(index: Int) -> Bool {
    get {
      precondition(index >= 0 && index < count, "an index is below the bound")
      return words[index >> 6] >> UInt64(index & 63) & 1 == 1
    }
    set {
      precondition(index >= 0 && index < count, "an index is below the bound")
      let bit: UInt64 = 1 << UInt64(index & 63)
      if newValue { words[index >> 6] |= bit } else { words[index >> 6] &= ~bit }
    }
  }

  /// The number of members.
  package var population: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// The number of members within a range.
  package func population(in range: Range<Int>) -> Int {
    var total = 0
    var index = range.lowerBound
    while index < range.upperBound {
      let end = min(range.upperBound, (index | 63) + 1)
      let mask = (UInt64.max >> UInt64(64 - (end - index))) << UInt64(index & 63)
      total += (words[index >> 6] & mask).nonzeroBitCount
      index = end
    }
    return total
  }

  /// The members, rising.
  package var indices: [Int] {
    var result: [Int] = []
    result.reserveCapacity(population)
    for (position, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        result.append(position * 64 + rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    }
    return result
  }

  /// Removes whatever the other set of the same bound lacks.
  package mutating func formIntersection(_ other: BitSet) {
    precondition(count == other.count, "the bounds agree")
    for index in words.indices { words[index] &= other.words[index] }
  }
}
