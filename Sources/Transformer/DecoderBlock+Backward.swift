package import LinearAlgebra

extension DecoderBlock {
  /// Propagates the gradient through the block, in place.
  ///
  /// Shows the observer what enters and leaves each linear layer. The forward pass is run again from
  /// the block's input.
  ///
  /// - Parameters:
  ///   - gradient: `∂loss/∂output`, shape `[sequences · length, hidden]`; becomes `∂loss/∂input`.
  ///   - input: The block's input in the forward pass, of the same shape.
  ///   - length: The number of tokens in a sequence.
  ///   - tokensPerBatch: How many tokens are worked on at a time.
  ///   - observer: Is shown every group of linear layers once for each batch.
  /// - Throws: ``ModelError/gradientNotFinite(block:)``.
  package func backward(
    _ gradient: inout Matrix<Float>,
    input: Matrix<Float>,
    length: Int,
    tokensPerBatch: Int = DecoderBlock.tokensPerBatch,
    observer: inout some LinearObserver
  ) throws(ModelError) {
    precondition(gradient.rows == input.rows && gradient.columns == input.columns, "one shape")
    let rotary = RotaryTable(decoder, length: length)
    var tape = BlockTape()
    var slopes = BlockGradients()
    for rows in batches(input, length: length, tokensPerBatch: tokensPerBatch) {
      record(input.copyRows(rows.lowerBound, count: rows.count), length, rotary, in: &tape)
      slopes.prepare(decoder, shape, tokens: rows.count)
      slopes.hidden = gradient.copyRows(rows.lowerBound, count: rows.count)
      backwardFeedForward(tape, &slopes, &observer)
      backwardAttention(tape, &slopes, rotary, &observer)
      guard isFinite(slopes.hidden.storage.span) else { throw .gradientNotFinite(block: index) }
      gradient.replaceRows(from: rows.lowerBound, with: slopes.hidden)
    }
  }

  private func backwardFeedForward(
    _ tape: BlockTape,
    _ slopes: inout BlockGradients,
    _ observer: inout some LinearObserver
  ) {
    observer.observe(groups[3], inputs: tape.neurons, gradients: [slopes.hidden])
    down.backward(slopes.hidden, into: &slopes.up)
    if let gate {
      decoder.activation.backward(
        &slopes.up,
        up: tape.up,
        gate: tape.gate,
        gateGradients: &slopes.gate
      )
      observer.observe(
        groups[2],
        inputs: tape.feedForwardInput,
        gradients: [slopes.gate, slopes.up]
      )
      gate.backward(slopes.gate, into: &slopes.part)
    } else {
      decoder.activation.backward(&slopes.up, up: tape.up)
      observer.observe(groups[2], inputs: tape.feedForwardInput, gradients: [slopes.up])
    }
    up.backward(slopes.up, into: &slopes.part, adding: gate != nil)
    feedForwardNorm.backward(
      slopes.part,
      inputs: tape.residual,
      moments: tape.feedForwardMoments,
      addingTo: &slopes.hidden
    )
  }

  private func backwardAttention(
    _ tape: BlockTape,
    _ slopes: inout BlockGradients,
    _ rotary: RotaryTable?,
    _ observer: inout some LinearObserver
  ) {
    observer.observe(groups[1], inputs: tape.contextRows, gradients: [slopes.hidden])
    attentionOutput.backward(slopes.hidden, into: &slopes.queryRows)
    tape.layout.split(slopes.queryRows, rotary: nil, into: &slopes.context)
    let recorded = Attention.Recorded(
      inputs: .init(queries: tape.queries, keys: tape.keys, values: tape.values),
      context: tape.context,
      logSums: tape.logSums,
      gradients: slopes.context
    )
    attention(tape.layout).backward(
      recorded,
      queryGradients: &slopes.queries,
      pairGradients: &slopes.pairs
    )
    tape.layout.merge(slopes.queries, rotary: rotary, into: &slopes.queryRows)
    tape.layout.merge(slopes.pairs, slot: (0, 2), rotary: rotary, into: &slopes.keyRows)
    tape.layout.merge(slopes.pairs, slot: (1, 2), rotary: nil, into: &slopes.valueRows)
    observer.observe(
      groups[0],
      inputs: tape.attentionInput,
      gradients: [slopes.queryRows, slopes.keyRows, slopes.valueRows]
    )
    query.backward(slopes.queryRows, into: &slopes.part)
    key.backward(slopes.keyRows, into: &slopes.part, adding: true)
    value.backward(slopes.valueRows, into: &slopes.part, adding: true)
    attentionNorm.backward(
      slopes.part,
      inputs: tape.input,
      moments: tape.attentionMoments,
      addingTo: &slopes.hidden
    )
  }
}

/// The gradients of one batch on its way back through a block.
struct BlockGradients {
  private static let empty = Matrix.zeros(rows: 0, columns: 0)

  /// With respect to the hidden state; shape `[tokens, hidden]`.
  var hidden = empty
  /// With respect to the input of a part; shape `[tokens, hidden]`.
  var part = empty
  /// Shape `[tokens, inner]`.
  var up = empty
  /// Shape `[tokens, inner]`, empty without a gate.
  var gate = empty
  /// Shape `[tokens, heads · headSize]`.
  var queryRows = empty
  /// Shape `[tokens, keyValueHeads · headSize]`.
  var keyRows = empty
  /// Like `keyRows`.
  var valueRows = empty
  /// With respect to the context; shape `[sequences · heads · length, headSize]`.
  var context = empty
  /// Like `context`.
  var queries = empty
  /// Keys and values; shape `[sequences · keyValueHeads · 2 · length, headSize]`.
  var pairs = empty

  mutating func prepare(_ decoder: DecoderDescription, _ shape: BlockShape, tokens: Int) {
    let (size, width) = (decoder.headSize, shape.keyValueHeads * decoder.headSize)
    part.prepare(rows: tokens, columns: decoder.hiddenSize)
    up.prepare(rows: tokens, columns: shape.innerSize)
    if decoder.isGated { gate.prepare(rows: tokens, columns: shape.innerSize) }
    queryRows.prepare(rows: tokens, columns: shape.heads * size)
    keyRows.prepare(rows: tokens, columns: width)
    valueRows.prepare(rows: tokens, columns: width)
    context.prepare(rows: tokens * shape.heads, columns: size)
    queries.prepare(rows: tokens * shape.heads, columns: size)
    pairs.prepare(rows: 2 * tokens * shape.keyValueHeads, columns: size)
  }
}
