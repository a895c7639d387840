/// The sizes of one block; blocks of a pruned model may differ.
package struct BlockShape: Equatable, Sendable {
  /// The number of query heads, at least 1.
  package let heads: Int
  /// The number of key and value heads; divides ``heads``.
  package let keyValueHeads: Int
  /// The number of neurons of the feed-forward part, at least 1.
  package let innerSize: Int

  /// A block of these sizes.
  package init(heads: Int, keyValueHeads: Int, innerSize: Int) {
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.innerSize = innerSize
  }

  /// How many query heads share one key and value head.
  package var headsPerGroup: Int { heads / keyValueHeads }
}
