/// The halves of a block, each with its norm and its addition to the hidden state.
package struct BlockParts: OptionSet, Hashable, Sendable {
  /// One bit for each half.
  package let rawValue: Int

  /// The halves whose bits are set.
  package init(rawValue: Int) { self.rawValue = rawValue }

  /// Attention.
  package static let attention = BlockParts(rawValue: 1)
  /// The feed-forward part.
  package static let feedForward = BlockParts(rawValue: 2)
  /// The whole block.
  package static let all: BlockParts = [.attention, .feedForward]

  /// Of what each input group of a block has, in order, that of these halves.
  ///
  /// The first two groups are attention's, the others the feed-forward part's.
  func selected<Value>(_ values: [Value]) -> [Value] {
    (contains(.attention) ? Array(values.prefix(2)) : [])
      + (contains(.feedForward) ? Array(values.dropFirst(2)) : [])
  }
}

extension LinearRole {
  /// The half of the block that the layer belongs to.
  package var part: BlockParts {
    switch self {
    case .query, .key, .value, .attentionOutput: .attention
    case .gate, .up, .down: .feedForward
    }
  }
}

extension DecoderBlock {
  /// The block with one of its halves passed by: the hidden state goes through the others only.
  package func only(_ parts: BlockParts) -> DecoderBlock {
    var block = self
    block.parts = parts
    return block
  }
}
