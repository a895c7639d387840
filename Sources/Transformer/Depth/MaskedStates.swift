package import LinearAlgebra

/// The hidden states of a model under a mask, from which other masks are run without repeating the
/// blocks before the first difference.
///
/// All states are kept: `(blocks + 1) · tokens · hidden` numbers of single precision.
package struct MaskedStates {
  /// The model.
  package let model: DecoderModel
  /// The tokens.
  package let sequences: TokenSequences
  /// The mask of the kept states.
  package private(set) var mask: DepthMask

  /// The input of each block, then the last block's output; shape `[tokens, hidden]` each.
  private var states: [Matrix<Float>]
  private var workspace = BlockWorkspace()

  /// Runs a model with all its parts.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - sequences: The tokens.
  /// - Throws: ``ModelError`` if the tokens do not fit the model or weights cannot be read.
  package init(_ model: DecoderModel, _ sequences: TokenSequences) throws(ModelError) {
    self.model = model
    self.sequences = sequences
    mask = DepthMask(keepingAll: model.decoder.blocks)
    states = [try model.embed(sequences)]
    try extend(under: mask)
  }

  /// The hidden state before a block; after the last one, for the number of blocks.
  package func state(before block: Int) -> Matrix<Float> { states[block] }

  /// The last block's output under the kept mask.
  package var output: Matrix<Float> { states[model.decoder.blocks] }

  /// The last block's output under another mask; the kept states stay.
  ///
  /// - Parameter mask: Which parts run.
  /// - Returns: Shape `[tokens, hidden]`.
  /// - Throws: ``ModelError`` if weights cannot be read.
  package mutating func output(under mask: DepthMask) throws(ModelError) -> Matrix<Float> {
    guard let first = mask.firstDifference(from: self.mask) else { return output }
    var hidden = states[first]
    for block in first..<mask.count { try run(block, mask[block], on: &hidden) }
    return hidden
  }

  /// Keeps the states under another mask instead.
  ///
  /// - Parameter mask: Which parts run.
  /// - Throws: ``ModelError`` if weights cannot be read.
  package mutating func keep(_ mask: DepthMask) throws(ModelError) {
    guard let first = mask.firstDifference(from: self.mask) else { return }
    let former = states
    states.removeLast(states.count - 1 - first)
    do {
      try extend(under: mask)
    } catch {
      states = former
      throw error
    }
    self.mask = mask
  }

  /// The hidden state between the two parts of a block under the kept mask.
  ///
  /// - Parameter block: The number of the block.
  /// - Returns: Shape `[tokens, hidden]`.
  /// - Throws: ``ModelError`` if weights cannot be read.
  package mutating func stateWithin(_ block: Int) throws(ModelError) -> Matrix<Float> {
    var hidden = states[block]
    try run(block, mask[block].intersection(.attention), on: &hidden)
    return hidden
  }

  /// Runs the blocks whose input is the last state.
  private mutating func extend(under mask: DepthMask) throws(ModelError) {
    for block in states.count - 1..<mask.count {
      var hidden = states[block]
      try run(block, mask[block], on: &hidden)
      states.append(hidden)
    }
  }

  private mutating func run(
    _ block: Int,
    _ parts: BlockParts,
    on hidden: inout Matrix<Float>
  ) throws(ModelError) {
    guard !parts.isEmpty else { return }
    try model.loadBlock(block).only(parts)
      .forward(&hidden, length: sequences.length, in: &workspace)
  }
}
