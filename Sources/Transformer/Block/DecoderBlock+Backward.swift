package import LinearAlgebra

extension DecoderBlock {
  /// Propagates the gradient through the block, in place.
  ///
  /// Shows the observer what enters and leaves each linear layer. The forward pass is run again from
  /// the block's input.
  ///
  /// - Parameters:
  ///   - gradient: `∂loss/∂output`, shape `[sequences · length, hidden]`; becomes `∂loss/∂input`.
  ///   - passed: The block's input in the forward pass, of the same shape, in sequences of `length`
  ///     tokens, of which `tokensPerBatch` are worked on at a time.
  ///   - workspace: Memory that serves one call after another.
  ///   - observer: Is shown all linear layers once for each batch.
  /// - Throws: ``ModelError/gradientNotFinite(block:)``.
  package func backward(
    _ gradient: inout Matrix<Float>,
    _ passed: BlockInput,
    in workspace: inout BlockWorkspace,
    observer: inout some LinearObserver
  ) throws(ModelError) {
    let (input, length) = (passed.hidden, passed.length)
    precondition(gradient.rows == input.rows && gradient.columns == input.columns, "one shape")
    let rotary = RotaryTable(decoder, length: length)
    let width = decoder.hiddenSize
    let observesNorms = observer.observesNorms
    for batch in batches(rows: input.rows, length: length, tokensPerBatch: passed.tokensPerBatch) {
      workspace.prepare(pieces: batch.pieces)
      concurrentChunks(
        of: &gradient.storage,
        in: batch.rows.lowerBound * width..<batch.rows.upperBound * width,
        size: batch.rowsPerPiece * width,
        with: &workspace.pieces
      ) { index, rows, piece in
        let start = batch.rows.lowerBound * width + index * batch.rowsPerPiece * width
        let layout = batch.layout(rows: rows.count / width, headSize: decoder.headSize)
        let input = input.storage.span.extracting(start..<start + rows.count)
        record(input, layout, rotary, in: &piece.tape)
        if observesNorms { piece.norms.clear(for: decoder) }
        propagate(&rows, rotary, observesNorms: observesNorms, &piece)
      }
      let pieces = workspace.pieces[..<batch.pieces]
      guard pieces.allSatisfy(\.isFinite) else { throw .gradientNotFinite(block: index) }
      observer.observe(traffic(of: pieces))
      if observesNorms { observer.observe(BlockNormGradients(sumOf: pieces.map(\.norms))) }
    }
  }

  /// Takes the gradient of one piece back through the block.
  private func propagate(
    _ rows: inout MutableSpan<Float>,
    _ rotary: RotaryTable?,
    observesNorms: Bool,
    _ piece: inout BlockWorkspace.Piece
  ) {
    let layout = piece.tape.layout
    piece.slopes.prepare(decoder, shape, layout)
    copyRows(rows.span, to: &piece.slopes.output, piece: layout.piece)
    if parts.contains(.feedForward) {
      backwardFeedForward(piece.tape, &piece.slopes)
      if observesNorms { piece.norms.feedForward = feedForwardNormGradient(piece) }
    } else {
      copyRows(piece.slopes.output, to: &piece.slopes.middle, piece: layout.piece)
    }
    if parts.contains(.attention) {
      backwardAttention(piece.tape, &piece.slopes, rotary)
      if observesNorms { piece.norms.attention = attentionNormGradient(piece) }
    } else {
      copyRows(piece.slopes.middle, to: &piece.slopes.input, piece: layout.piece)
    }
    piece.isFinite = piece.slopes.input.isFinite
    copy(piece.slopes.input.storage.span, to: &rows)
  }

  private func backwardFeedForward(_ tape: BlockTape, _ slopes: inout BlockGradients) {
    let piece = tape.layout.piece
    down.backward(slopes.output, into: &slopes.up, piece: piece)
    if let gate {
      decoder.activation.backward(
        &slopes.up,
        up: tape.up,
        gate: tape.gate,
        gateGradients: &slopes.gate,
        rows: piece
      )
      gate.backward(slopes.gate, into: &slopes.part, piece: piece)
    } else {
      decoder.activation.backward(&slopes.up, up: tape.up, rows: piece)
    }
    up.backward(slopes.up, into: &slopes.part, adding: gate != nil, piece: piece)
    copyRows(slopes.output, to: &slopes.middle, piece: piece)
    feedForwardNorm.backward(
      slopes.part,
      inputs: tape.residual,
      moments: tape.feedForwardMoments,
      addingTo: &slopes.middle,
      piece: piece
    )
  }

  private func backwardAttention(
    _ tape: BlockTape,
    _ slopes: inout BlockGradients,
    _ rotary: RotaryTable?
  ) {
    let (layout, piece) = (tape.layout, tape.layout.piece)
    attentionOutput.backward(slopes.middle, into: &slopes.queryRows, piece: piece)
    layout.split(slopes.queryRows, rotary: nil, into: &slopes.context)
    let recorded = Attention.Recorded(
      inputs: .init(queries: tape.queries, keys: tape.keys, values: tape.values),
      context: tape.context,
      logSums: tape.logSums,
      gradients: slopes.context
    )
    attention(layout).backward(
      recorded,
      queryGradients: &slopes.queries,
      pairGradients: &slopes.pairs
    )
    layout.merge(slopes.queries, rotary: rotary, into: &slopes.queryRows)
    layout.merge(slopes.pairs, slot: (0, 2), rotary: rotary, into: &slopes.keyRows)
    layout.merge(slopes.pairs, slot: (1, 2), rotary: nil, into: &slopes.valueRows)
    query.backward(slopes.queryRows, into: &slopes.part, piece: piece)
    key.backward(slopes.keyRows, into: &slopes.part, adding: true, piece: piece)
    value.backward(slopes.valueRows, into: &slopes.part, adding: true, piece: piece)
    copyRows(slopes.middle, to: &slopes.input, piece: piece)
    attentionNorm.backward(
      slopes.part,
      inputs: tape.input,
      moments: tape.attentionMoments,
      addingTo: &slopes.input,
      piece: piece
    )
  }

  /// What the linear layers saw of a batch.
  private func traffic(of pieces: ArraySlice<BlockWorkspace.Piece>) -> [LinearTraffic] {
    let feedForward =
      gate == nil
      ? [pieces.map(\.slopes.up)] : [pieces.map(\.slopes.gate), pieces.map(\.slopes.up)]
    let gradients = [
      [
        pieces.map(\.slopes.queryRows), pieces.map(\.slopes.keyRows),
        pieces.map(\.slopes.valueRows),
      ],
      [pieces.map(\.slopes.middle)], feedForward, [pieces.map(\.slopes.output)],
    ]
    return zip(inputs(of: pieces), parts.selected(gradients)).map { shown, gradients in
      LinearTraffic(group: shown.group, inputs: shown.inputs, gradients: gradients)
    }
  }
}

/// What went into a block in the forward pass.
package struct BlockInput: Sendable {
  /// Shape `[sequences · length, hidden]`.
  package let hidden: Matrix<Float>
  /// The number of tokens in a sequence.
  package let length: Int
  /// How many tokens the backward pass works on at a time.
  package let tokensPerBatch: Int

  /// The input of whole sequences.
  package init(
    _ hidden: Matrix<Float>,
    length: Int,
    tokensPerBatch: Int = DecoderBlock.tokensPerBatch
  ) {
    self.hidden = hidden
    self.length = length
    self.tokensPerBatch = tokensPerBatch
  }
}

/// The gradients of one batch on its way back through a block.
struct BlockGradients {
  private static let empty = Matrix.zeros(rows: 0, columns: 0)

  /// With respect to the block's output, as it came; shape `[tokens, hidden]`.
  var output = empty
  /// With respect to the hidden state between the two parts; shape `[tokens, hidden]`.
  var middle = empty
  /// With respect to the block's input; shape `[tokens, hidden]`.
  var input = empty
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

  mutating func prepare(
    _ decoder: DecoderDescription,
    _ shape: BlockShape,
    _ layout: HeadLayout
  ) {
    let tokens = layout.sequences * layout.length
    let (size, width) = (decoder.headSize, shape.keyValueHeads * decoder.headSize)
    for part in [\BlockGradients.output, \.middle, \.input] {
      self[keyPath: part].prepare(rows: tokens, columns: decoder.hiddenSize)
    }
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
