import LinearAlgebra

extension DecoderModel {
  /// The blocks whose attention part adds nothing to the hidden state: its output projection is zero,
  /// with its bias.
  ///
  /// - Throws: ``ModelError`` if weights cannot be read or hold NaN or infinity.
  package func blocksWithSilentAttention() throws(ModelError) -> [Int] {
    let reader = WeightReader(source: source)
    var silent: [Int] = []
    for block in 0..<decoder.blocks {
      let output = try reader.linear(layout.linear(.attentionOutput, block: block))
      let isSilent =
        output.weight.storage.allSatisfy { $0 == 0 }
        && (output.bias ?? []).allSatisfy { $0 == 0 }
      if isSilent { silent.append(block) }
    }
    return silent
  }
}
