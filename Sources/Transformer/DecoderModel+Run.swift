package import LinearAlgebra
import Tensors

extension DecoderModel {
  /// The first block's input: the embeddings of tokens, and of positions where they are learned.
  ///
  /// - Parameter sequences: The tokens.
  /// - Returns: The hidden state, shape `[sequences · length, hidden]`.
  /// - Throws: ``ModelError`` if a token is outside the vocabulary, sequences are longer than the
  ///   table of positions, or the embeddings cannot be read. Rotary positions have no limit here.
  package func embed(_ sequences: TokenSequences) throws(ModelError) -> Matrix<Float> {
    try sequences.check(vocabulary: decoder.vocabulary)
    return try TokenEmbedding(self, length: sequences.length).embed(sequences)
  }

  /// Reads the weights of one block.
  ///
  /// - Parameter index: The number of the block.
  /// - Returns: The block, its weights widened to single precision.
  /// - Throws: ``ModelError`` if a tensor cannot be read or holds NaN or infinity.
  package func loadBlock(_ index: Int) throws(ModelError) -> DecoderBlock {
    precondition(0..<decoder.blocks ~= index, "a block of this model")
    let reader = WeightReader(source: source, products: products)
    func read(_ role: LinearRole) throws(ModelError) -> Linear {
      try reader.linear(layout.linear(role, block: index))
    }
    return DecoderBlock(
      index: index,
      decoder: decoder,
      groups: inputGroups.filter { $0.block == index },
      attentionNorm: try reader.norm(layout.attentionNorm(index), of: decoder),
      query: try read(.query),
      key: try read(.key),
      value: try read(.value),
      attentionOutput: try read(.attentionOutput),
      feedForwardNorm: try reader.norm(layout.feedForwardNorm(index), of: decoder),
      gate: decoder.isGated ? try read(.gate) : nil,
      up: try read(.up),
      down: try read(.down)
    )
  }

  /// Reads the last norm and the output projection.
  ///
  /// - Throws: ``ModelError`` if a tensor cannot be read or holds NaN or infinity, or a projection is
  ///   stored that should be the token embedding and is not.
  package func loadHead() throws(ModelError) -> OutputHead {
    let reader = WeightReader(source: source, products: products)
    let size = (rows: decoder.vocabulary, columns: decoder.hiddenSize)
    let name = decoder.isTied ? layout.tokenEmbedding : layout.head
    let weight = try reader.matrix(name, rows: size.rows, columns: size.columns)
    if decoder.isTied, source.description(of: layout.head) != nil {
      let stored = try reader.floats(layout.head, count: size.rows * size.columns)
      guard stored == weight.storage else { throw .conflictingHead(layout.head) }
    }
    return OutputHead(
      norm: try reader.norm(layout.finalNorm, of: decoder),
      weight: weight,
      rounded: reader.rounded(weight)
    )
  }

  /// The mean cross entropy of each sequence over its predicted positions, in nats.
  ///
  /// One block's weights are in memory at a time.
  ///
  /// - Parameter sequences: The tokens.
  /// - Returns: One number for each sequence.
  /// - Throws: ``ModelError`` if the tokens do not fit the model, weights cannot be read, or a loss is
  ///   not finite.
  package func losses(_ sequences: TokenSequences) throws(ModelError) -> [Double] {
    let hidden = try lastHidden(sequences)
    return try loadHead().losses(hidden, sequences)
  }

  /// The logits of every position; all of them at once, so for short inputs.
  ///
  /// - Parameter sequences: The tokens.
  /// - Returns: Shape `[sequences · length, vocabulary]`.
  /// - Throws: ``ModelError`` if the tokens do not fit the model or weights cannot be read.
  package func logits(_ sequences: TokenSequences) throws(ModelError) -> Matrix<Float> {
    let hidden = try lastHidden(sequences)
    return try loadHead().logits(hidden)
  }

  private func lastHidden(_ sequences: TokenSequences) throws(ModelError) -> Matrix<Float> {
    var hidden = try embed(sequences)
    var workspace = BlockWorkspace()
    for index in 0..<decoder.blocks {
      try loadBlock(index).forward(&hidden, length: sequences.length, in: &workspace)
    }
    return hidden
  }
}
