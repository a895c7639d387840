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
  /// What a pass goes through; the other part is passed by.
  var parts = BlockParts.all

  /// The sizes of the block.
  var shape: BlockShape { decoder.blockShapes[index] }

  /// Runs the block on the hidden state, in place.
  ///
  /// - Parameters:
  ///   - hidden: Shape `[sequences · length, hidden]`; becomes the next block's input.
  ///   - length: The number of tokens in a sequence.
  ///   - tokensPerBatch: How many tokens are worked on at a time.
  ///   - workspace: Memory that serves one call after another.
  package func forward(
    _ hidden: inout Matrix<Float>,
    length: Int,
    tokensPerBatch: Int = DecoderBlock.tokensPerBatch,
    in workspace: inout BlockWorkspace
  ) {
    precondition(hidden.columns == decoder.hiddenSize, "a hidden state of this model")
    guard !parts.isEmpty else { return }
    let rotary = RotaryTable(decoder, length: length)
    let width = decoder.hiddenSize
    for batch in batches(rows: hidden.rows, length: length, tokensPerBatch: tokensPerBatch) {
      workspace.prepare(pieces: batch.pieces)
      concurrentChunks(
        of: &hidden.storage,
        in: batch.rows.lowerBound * width..<batch.rows.upperBound * width,
        size: batch.rowsPerPiece * width,
        with: &workspace.pieces
      ) { _, rows, piece in
        let layout = batch.layout(rows: rows.count / width, headSize: decoder.headSize)
        record(rows.span, layout, rotary, in: &piece.tape)
        if parts.contains(.feedForward) {
          down.forward(
            piece.tape.neurons,
            into: &piece.tape.residual,
            adding: true,
            piece: layout.piece
          )
        }
        copy(piece.tape.residual.storage.span, to: &rows)
      }
    }
  }

  /// Runs the block up to the input of its last linear layer and keeps what the backward pass needs.
  ///
  /// - Parameters:
  ///   - input: Whole sequences, shape `[tokens, hidden]`.
  ///   - layout: How they lie in memory.
  ///   - rotary: The angles of the positions, where they are rotated.
  ///   - tape: Receives what happens.
  func record(
    _ input: Span<Float>,
    _ layout: HeadLayout,
    _ rotary: RotaryTable?,
    in tape: inout BlockTape
  ) {
    let piece = layout.piece
    tape.prepare(decoder, shape, layout)
    copyRows(input, to: &tape.input, piece: piece)
    copyRows(input, to: &tape.residual, piece: piece)
    if parts.contains(.attention) { recordAttention(rotary, in: &tape) }
    if parts.contains(.feedForward) { recordFeedForward(in: &tape) }
  }

  private func recordAttention(_ rotary: RotaryTable?, in tape: inout BlockTape) {
    let (layout, piece) = (tape.layout, tape.layout.piece)
    attentionNorm.forward(
      tape.input,
      into: &tape.attentionInput,
      moments: &tape.attentionMoments,
      piece: piece
    )
    query.forward(tape.attentionInput, into: &tape.wide, piece: piece)
    layout.split(tape.wide, rotary: rotary, into: &tape.queries)
    key.forward(tape.attentionInput, into: &tape.narrow, piece: piece)
    layout.split(tape.narrow, rotary: rotary, into: &tape.keys)
    value.forward(tape.attentionInput, into: &tape.narrow, piece: piece)
    layout.split(tape.narrow, rotary: nil, into: &tape.values)
    attention(layout).forward(
      Attention.Inputs(queries: tape.queries, keys: tape.keys, values: tape.values),
      into: &tape.context,
      logSums: &tape.logSums
    )
    layout.merge(tape.context, rotary: nil, into: &tape.contextRows)
    attentionOutput.forward(tape.contextRows, into: &tape.residual, adding: true, piece: piece)
  }

  private func recordFeedForward(in tape: inout BlockTape) {
    let piece = tape.layout.piece
    feedForwardNorm.forward(
      tape.residual,
      into: &tape.feedForwardInput,
      moments: &tape.feedForwardMoments,
      piece: piece
    )
    gate?.forward(tape.feedForwardInput, into: &tape.gate, piece: piece)
    up.forward(tape.feedForwardInput, into: &tape.up, piece: piece)
    decoder.activation.forward(
      up: tape.up,
      gate: gate == nil ? nil : tape.gate,
      into: &tape.neurons,
      rows: piece
    )
  }

  func attention(_ layout: HeadLayout) -> Attention {
    Attention(layout: layout, heads: shape.heads, keyValueHeads: shape.keyValueHeads)
  }
}
