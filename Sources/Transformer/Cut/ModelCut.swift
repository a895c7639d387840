/// What can be cut from a model without changing what it computes, read off its weights.
package struct ModelCut: Equatable, Sendable {
  /// What stays of each block.
  package let blocks: [BlockCut]

  /// A cut of given blocks.
  package init(blocks: [BlockCut]) { self.blocks = blocks }

  /// The sizes of the blocks after the cut.
  package var shapes: [BlockShape] { blocks.map(\.shape) }

  /// The least sizes that hold every block: the maximum over the blocks.
  package var largestShape: BlockShape {
    let groups = shapes.map(\.keyValueHeads).max() ?? 0
    return BlockShape(
      heads: groups * (shapes.map(\.headsPerGroup).max() ?? 0),
      keyValueHeads: groups,
      innerSize: shapes.map(\.innerSize).max() ?? 0
    )
  }

  /// The cut that leaves all blocks with the same sizes, or as nearly as the source allows.
  ///
  /// - Parameters:
  ///   - size: The sizes; ``largestShape`` is the least that all blocks can have.
  ///   - source: The model before the cut. Its units of lowest index are kept where a block has
  ///     fewer than the others.
  /// - Returns: A cut that keeps no less.
  package func padded(to size: BlockShape, source: DecoderDescription) -> ModelCut {
    ModelCut(
      blocks: zip(blocks, source.blockShapes).map { $0.padded(to: size, source: $1) }
    )
  }

  /// The cut of neurons alone: all heads stay.
  ///
  /// - Parameter source: The model before the cut.
  /// - Returns: A cut that keeps no less.
  package func keepingHeads(of source: DecoderDescription) -> ModelCut {
    ModelCut(
      blocks: zip(blocks, source.blockShapes).map { cut, shape in
        let all = BlockCut(keeping: shape)
        return BlockCut(
          heads: all.heads,
          keyValueHeads: all.keyValueHeads,
          neurons: cut.neurons
        )
      }
    )
  }
}
