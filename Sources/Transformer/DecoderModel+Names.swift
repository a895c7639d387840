package import Tensors

/// The names of the tensors that belong to no linear layer, as stored.
extension DecoderModel {
  /// The token embedding, shape `[vocabulary, hiddenSize]`.
  package var tokenEmbedding: TensorName { layout.tokenEmbedding }

  /// The output projection, shape `[vocabulary, hiddenSize]`; nil where it is the token embedding.
  package var outputHead: TensorName? { decoder.isTied ? nil : layout.head }

  /// The weight of the norm behind the last block, shape `[hiddenSize]`.
  package var finalNorm: TensorName { TensorName("\(layout.finalNorm).weight") }

  /// The weights of the norms before attention and before the feed-forward part of a block, shape
  /// `[hiddenSize]` each.
  package func norms(ofBlock block: Int) -> (attention: TensorName, feedForward: TensorName) {
    (
      TensorName("\(layout.attentionNorm(block)).weight"),
      TensorName("\(layout.feedForwardNorm(block)).weight")
    )
  }
}
