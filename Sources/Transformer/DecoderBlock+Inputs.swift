package import LinearAlgebra

/// Sees what enters the linear layers of a block in a forward pass, and keeps what it needs.
package protocol InputObserver {
  /// Called once for each batch and group of layers that read the same input.
  ///
  /// - Parameters:
  ///   - group: The layers.
  ///   - inputs: `x`, shape `[tokens, inputs]`, without a trailing 1.
  mutating func observe(_ group: InputGroup, inputs: Matrix<Float>)
}

extension DecoderBlock {
  /// Runs the block forward for its linear layers' inputs alone; the hidden state stays as it is.
  ///
  /// - Parameters:
  ///   - hidden: The block's input, shape `[sequences · length, hidden]`.
  ///   - length: The number of tokens in a sequence.
  ///   - tokensPerBatch: How many tokens are worked on at a time.
  ///   - observer: Is shown every group of linear layers once for each batch.
  package func showInputs(
    _ hidden: Matrix<Float>,
    length: Int,
    tokensPerBatch: Int = DecoderBlock.tokensPerBatch,
    to observer: inout some InputObserver
  ) {
    let rotary = RotaryTable(decoder, length: length)
    var tape = BlockTape()
    for rows in batches(hidden, length: length, tokensPerBatch: tokensPerBatch) {
      record(hidden.copyRows(rows.lowerBound, count: rows.count), length, rotary, in: &tape)
      observer.observe(groups[0], inputs: tape.attentionInput)
      observer.observe(groups[1], inputs: tape.contextRows)
      observer.observe(groups[2], inputs: tape.feedForwardInput)
      observer.observe(groups[3], inputs: tape.neurons)
    }
  }
}
