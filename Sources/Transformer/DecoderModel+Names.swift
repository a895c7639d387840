package import Tensors

/// The names of the tensors that belong to no linear layer, as stored.
extension DecoderModel {
  /// The token embedding, shape `[vocabulary, hiddenSize]`.
  package var tokenEmbedding: TensorName { layout.tokenEmbedding }

  /// The table of learned positions, shape `[positions + offset, hiddenSize]`, and the row of the first
  /// position; nil where positions are rotated.
  package var positionEmbedding: (name: TensorName, offset: Int)? {
    guard case .learned(let offset) = decoder.position, let name = layout.positionEmbedding
    else { return nil }
    return (name, offset)
  }

  /// The output projection, shape `[vocabulary, hiddenSize]`; nil where it is the token embedding.
  package var outputHead: TensorName? { decoder.isTied ? nil : layout.head }

  /// Where the output projection is stored if it is a matrix of its own.
  package var headTensor: TensorName { layout.head }

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

  /// All tensors of the norm behind the last block.
  package var finalNormTensors: NormTensors { normTensors(layout.finalNorm) }

  /// All tensors of a block's norms.
  package func normTensors(
    ofBlock block: Int
  ) -> (attention: NormTensors, feedForward: NormTensors) {
    (normTensors(layout.attentionNorm(block)), normTensors(layout.feedForwardNorm(block)))
  }

  private func normTensors(_ module: String) -> NormTensors {
    NormTensors(
      weight: TensorName("\(module).weight"),
      bias: decoder.norm == .layer ? TensorName("\(module).bias") : nil
    )
  }

  /// The linear layers of some parts of a block.
  package func linears(of parts: BlockParts, block: Int) -> [LinearDescription] {
    linears.filter { $0.block == block && !parts.isDisjoint(with: $0.role.part) }
  }

  /// The names that the tensors get when only some blocks are kept and numbered anew.
  ///
  /// - Parameter blocks: The blocks that are kept, in ascending order.
  /// - Returns: The new names by those in ``source``; tensors of other blocks are absent.
  package func names(keepingBlocks blocks: [Int]) -> [TensorName: TensorName] {
    let start = layout.blocksStart
    let places = Dictionary(uniqueKeysWithValues: blocks.enumerated().map { ($1, $0) })
    return source.names.reduce(into: [:]) { names, name in
      guard name.utf8.starts(with: start) else { return names[name] = name }
      let digits = name.utf8.dropFirst(start.count).prefix { 0x30...0x39 ~= $0 }
      // A number in another spelling is that of no block; such tensors are not read.
      guard let block = Int(String(decoding: digits, as: UTF8.self)), let place = places[block],
        digits.elementsEqual(String(block).utf8)
      else { return }
      let rest = name.utf8.dropFirst(start.count + digits.count)
      names[name] = TensorName(utf8: start + Array(String(place).utf8) + rest)
    }
  }
}

/// The names of a norm's tensors, shape `[hiddenSize]` each.
package struct NormTensors: Equatable, Sendable {
  /// The factors.
  package let weight: TensorName
  /// What is added; LayerNorm alone has it.
  package let bias: TensorName?
}
