/// The ways to remove some weights of a block of an N:M pattern.
struct BlockPattern: Equatable, Sendable {
  /// The number of weights in a block: M.
  let size: Int
  /// The number that is removed: M − N.
  let removed: Int
  /// All sets of that many weights, as bits, rising; empty if they are too many to try.
  let sets: [UInt16]

  /// The most multiplications for one block with which all sets are still tried.
  private static let mostProducts = 4096

  init(kept: Int, of size: Int) {
    precondition(1 <= kept && kept < size && size <= Structure.largestBlock, "a valid pattern")
    self.size = size
    removed = size - kept
    let all = (0..<1 << size).lazy.filter { $0.nonzeroBitCount == size - kept }
    let products = all.count * (size - kept) * (size - kept + 1) / 2
    sets = products <= Self.mostProducts ? all.map(UInt16.init) : []
  }

  /// The number of products of a set: pairs of its members, each once.
  var pairs: Int { removed * (removed + 1) / 2 }
}

/// The members of a set of weights within a block.
func members(_ set: UInt16) -> [Int] { (0..<16).filter { set >> $0 & 1 == 1 } }
