/// What stays of one block: ascending indices in the source's numbering.
package struct BlockCut: Equatable, Sendable {
  /// The query heads; as many of each kept key and value head.
  package let heads: [Int]
  /// The key and value heads.
  package let keyValueHeads: [Int]
  /// The neurons of the feed-forward part.
  package let neurons: [Int]

  /// A cut of given indices.
  ///
  /// - Parameters:
  ///   - heads: Query heads; as many of each kept key and value head.
  ///   - keyValueHeads: The key and value heads that these share.
  ///   - neurons: Neurons.
  package init(heads: [Int], keyValueHeads: [Int], neurons: [Int]) {
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.neurons = neurons
  }

  /// The cut that keeps all of a block.
  package init(keeping shape: BlockShape) {
    heads = Array(0..<shape.heads)
    keyValueHeads = Array(0..<shape.keyValueHeads)
    neurons = Array(0..<shape.innerSize)
  }

  /// The sizes of what stays.
  package var shape: BlockShape {
    BlockShape(
      heads: heads.count,
      keyValueHeads: keyValueHeads.count,
      innerSize: neurons.count
    )
  }
}

extension BlockCut {
  /// Keeps more of a block, down to given sizes: the units of lowest index that would go.
  ///
  /// What was kept stays kept; sizes below the present ones have no effect.
  ///
  /// - Parameters:
  ///   - size: The sizes to reach; at most those of the block.
  ///   - source: The sizes of the block before the cut.
  /// - Returns: The cut that keeps more.
  package func padded(to size: BlockShape, source: BlockShape) -> BlockCut {
    let groups = Self.padded(keyValueHeads, to: size.keyValueHeads, of: 0..<source.keyValueHeads)
    let perGroup = max(size.headsPerGroup, shape.headsPerGroup)
    let heads = groups.flatMap { group in
      let members = group * source.headsPerGroup..<(group + 1) * source.headsPerGroup
      return Self.padded(self.heads.filter(members.contains), to: perGroup, of: members)
    }
    return BlockCut(
      heads: heads,
      keyValueHeads: groups,
      neurons: Self.padded(neurons, to: size.innerSize, of: 0..<source.innerSize)
    )
  }

  /// The indices with the lowest others of a range added until there are `count`, ascending.
  private static func padded(_ indices: [Int], to count: Int, of range: Range<Int>) -> [Int] {
    let missing = count - indices.count
    guard missing > 0 else { return indices }
    let kept = Set(indices)
    return (indices + range.lazy.filter { !kept.contains($0) }.prefix(missing)).sorted()
  }
}
