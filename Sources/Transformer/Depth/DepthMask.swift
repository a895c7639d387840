/// Which parts of which blocks of a model run; the others leave the hidden state as it is.
package struct DepthMask: Equatable, Sendable {
  private var kept: [BlockParts]

  /// The mask under which everything runs.
  ///
  /// - Parameter blocks: The number of blocks.
  package init(keepingAll blocks: Int) { kept = [BlockParts](repeating: .all, count: blocks) }

  /// The number of blocks, with those that do not run.
  package var count: Int { kept.count }

  /// The parts of a block that run.
  package subscript(block: Int) -> BlockParts { kept[block] }

  /// Takes parts of a block out.
  package mutating func remove(_ parts: BlockParts, ofBlock block: Int) {
    kept[block].subtract(parts)
  }

  /// The mask without parts of a block.
  package func removing(_ parts: BlockParts, ofBlock block: Int) -> DepthMask {
    var mask = self
    mask.remove(parts, ofBlock: block)
    return mask
  }

  /// The blocks of which some part runs, in ascending order.
  package var running: [Int] { kept.indices.filter { !kept[$0].isEmpty } }

  /// The first block that two masks of one model treat differently; nil for equal ones.
  package func firstDifference(from other: DepthMask) -> Int? {
    precondition(count == other.count, "masks of one model")
    return kept.indices.first { kept[$0] != other.kept[$0] }
  }
}
