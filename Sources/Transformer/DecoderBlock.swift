package import LinearAlgebra

/// The weights of one block: attention, then a feed-forward part, each behind a norm and added to
/// the hidden state.
package struct DecoderBlock: Sendable {
  /// The number of tokens that are worked on at a time; whole sequences, at least one.
  package static let tokensPerBatch = 4096

  /// The number of the block.
  package let index: Int
  let decoder: DecoderDescription
  let groups: [InputGroup]
  let attentionNorm: Norm
  let query: Linear
  let key: Linear
  let value: Linear
  let attentionOutput: Linear
  let feedForwardNorm: Norm
  let gate: Linear?
  let up: Linear
  let down: Linear

  /// The sizes of the block.
  var shape: BlockShape { decoder.blockShapes[index] }

  /// Runs the block on the hidden state, in place.
  ///
  /// - Parameters:
  ///   - hidden: Shape `[sequences · length, hidden]`; becomes the next block's input.
  ///   - length: The number of tokens in a sequence.
  ///   - tokensPerBatch: How many tokens are worked on at a time.
  package func forward(
    _ hidden: inout Matrix<Float>,
    length: Int,
    tokensPerBatch: Int = DecoderBlock.tokensPerBatch
  ) {
    let rotary = RotaryTable(decoder, length: length)
    var tape = BlockTape()
    for rows in batches(hidden, length: length, tokensPerBatch: tokensPerBatch) {
      record(hidden.copyRows(rows.lowerBound, count: rows.count), length, rotary, in: &tape)
      down.forward(tape.neurons, into: &tape.residual, adding: true)
      hidden.replaceRows(from: rows.lowerBound, with: tape.residual)
    }
  }

  /// The rows of batches of whole sequences.
  func batches(_ hidden: Matrix<Float>, length: Int, tokensPerBatch: Int) -> [Range<Int>] {
    precondition(length > 0 && hidden.rows % length == 0, "whole sequences")
    precondition(hidden.columns == decoder.hiddenSize, "a hidden state of this model")
    let step = max(1, tokensPerBatch / length) * length
    return stride(from: 0, to: hidden.rows, by: step).map { $0..<min(hidden.rows, $0 + step) }
  }

  /// Runs the block up to the input of its last linear layer and keeps what the backward pass needs.
  func record(
    _ input: Matrix<Float>,
    _ length: Int,
    _ rotary: RotaryTable?,
    in tape: inout BlockTape
  ) {
    tape.prepare(decoder, shape, tokens: input.rows, length: length)
    tape.input = input
    tape.residual = input
    attentionNorm.forward(
      tape.input,
      into: &tape.attentionInput,
      moments: &tape.attentionMoments
    )
    query.forward(tape.attentionInput, into: &tape.wide)
    tape.layout.split(tape.wide, rotary: rotary, into: &tape.queries)
    key.forward(tape.attentionInput, into: &tape.narrow)
    tape.layout.split(tape.narrow, rotary: rotary, into: &tape.keys)
    value.forward(tape.attentionInput, into: &tape.narrow)
    tape.layout.split(tape.narrow, rotary: nil, into: &tape.values)
    attention(tape.layout).forward(
      Attention.Inputs(queries: tape.queries, keys: tape.keys, values: tape.values),
      into: &tape.context,
      logSums: &tape.logSums
    )
    tape.layout.merge(tape.context, rotary: nil, into: &tape.contextRows)
    attentionOutput.forward(tape.contextRows, into: &tape.residual, adding: true)
    feedForwardNorm.forward(
      tape.residual,
      into: &tape.feedForwardInput,
      moments: &tape.feedForwardMoments
    )
    gate?.forward(tape.feedForwardInput, into: &tape.gate)
    up.forward(tape.feedForwardInput, into: &tape.up)
    decoder.activation.forward(
      up: tape.up,
      gate: gate == nil ? nil : tape.gate,
      into: &tape.neurons
    )
  }

  func attention(_ layout: HeadLayout) -> Attention {
    Attention(layout: layout, heads: shape.heads, keyValueHeads: shape.keyValueHeads)
  }
}
