import LinearAlgebra

extension DecoderBlock {
  /// Runs the block on the tokens that follow those in the cache, in place.
  ///
  /// - Parameters:
  ///   - hidden: Shape `[tokens, hidden]`; becomes the next block's input.
  ///   - rotary: The angles of all positions up to the last token's, where the model has them.
  ///   - cache: The block's keys and values; the tokens' own are added.
  ///   - scratch: Memory that serves one block after another.
  func decode(
    _ hidden: inout Matrix<Float>,
    rotary: RotaryTable?,
    cache: inout KeyValueCache,
    scratch: inout DecodingScratch
  ) {
    let (first, piece) = (cache.count, rowsPerPiece(hidden.rows))
    scratch.prepare(decoder, shape, tokens: hidden.rows)
    normalise(hidden, by: attentionNorm, in: &scratch, piece: piece)
    addKeysAndValues(to: &cache, rotary: rotary, in: &scratch)
    attend(&hidden, from: first, rotary: rotary, cache: cache, in: &scratch)
    normalise(hidden, by: feedForwardNorm, in: &scratch, piece: piece)
    feedForward(&hidden, in: &scratch)
  }

  /// Puts the hidden state, normalised, where both parts find their input.
  func normalise(
    _ hidden: Matrix<Float>,
    by norm: Norm,
    in scratch: inout DecodingScratch,
    piece: Int
  ) {
    norm.forward(hidden, into: &scratch.input, moments: &scratch.moments, piece: piece)
  }

  /// Computes the tokens' keys and values and adds them to the cache.
  func addKeysAndValues(
    to cache: inout KeyValueCache,
    rotary: RotaryTable?,
    in scratch: inout DecodingScratch
  ) {
    key.apply(scratch.input, to: &scratch.keys)
    value.apply(scratch.input, to: &scratch.values)
    rotary?.rotate(&scratch.keys, from: cache.count)
    cache.append(keys: scratch.keys, values: scratch.values)
  }

  /// Adds what the tokens read through their queries to the hidden state.
  ///
  /// - Parameters:
  ///   - hidden: Shape `[tokens, hidden]`.
  ///   - first: The position of the first token.
  ///   - rotary: The angles of all positions up to the last token's, where the model has them.
  ///   - cache: The block's keys and values, the tokens' own included.
  ///   - scratch: Holds the normalised input.
  func attend(
    _ hidden: inout Matrix<Float>,
    from first: Int,
    rotary: RotaryTable?,
    cache: KeyValueCache,
    in scratch: inout DecodingScratch
  ) {
    let piece = rowsPerPiece(hidden.rows)
    query.apply(scratch.input, to: &scratch.queries)
    rotary?.rotate(&scratch.queries, from: first)
    CachedAttention(shape: shape, cache: cache).forward(scratch.queries, into: &scratch.context)
    HeadLayout(sequences: 1, length: hidden.rows, headSize: decoder.headSize, piece: piece)
      .merge(scratch.context, rotary: nil, into: &scratch.contextRows)
    attentionOutput.apply(scratch.contextRows, to: &hidden, adding: true)
  }

  /// Adds what the neurons say to the hidden state.
  func feedForward(_ hidden: inout Matrix<Float>, in scratch: inout DecodingScratch) {
    gate?.apply(scratch.input, to: &scratch.gate)
    up.apply(scratch.input, to: &scratch.up)
    decoder.activation.forward(
      up: scratch.up,
      gate: gate == nil ? nil : scratch.gate,
      into: &scratch.neurons,
      rows: rowsPerPiece(hidden.rows)
    )
    down.apply(scratch.neurons, to: &hidden, adding: true)
  }
}

/// What a block computes for some tokens; its memory serves one block after another.
struct DecodingScratch {
  private static let empty = Matrix.zeros(rows: 0, columns: 0)

  /// The input of a part, normalised; shape `[tokens, hidden]`.
  var input = empty
  /// Shape `[tokens, 2]`.
  var moments = empty
  /// Shape `[tokens, heads · headSize]`.
  var queries = empty
  /// Shape `[tokens, keyValueHeads · headSize]`.
  var keys = empty
  /// Like `keys`.
  var values = empty
  /// Shape `[heads · tokens, headSize]`.
  var context = empty
  /// Shape `[tokens, heads · headSize]`.
  var contextRows = empty
  /// The gate before its activation; shape `[tokens, inner]`, empty without a gate.
  var gate = empty
  /// The neurons before activation or gating; shape `[tokens, inner]`.
  var up = empty
  /// The input of the last layer; shape `[tokens, inner]`.
  var neurons = empty

  mutating func prepare(_ decoder: DecoderDescription, _ shape: BlockShape, tokens: Int) {
    let size = decoder.headSize
    input.prepare(rows: tokens, columns: decoder.hiddenSize)
    moments.prepare(rows: tokens, columns: 2)
    queries.prepare(rows: tokens, columns: shape.heads * size)
    keys.prepare(rows: tokens, columns: shape.keyValueHeads * size)
    values.prepare(rows: tokens, columns: shape.keyValueHeads * size)
    context.prepare(rows: tokens * shape.heads, columns: size)
    contextRows.prepare(rows: tokens, columns: shape.heads * size)
    if decoder.isGated { gate.prepare(rows: tokens, columns: shape.innerSize) }
    up.prepare(rows: tokens, columns: shape.innerSize)
    neurons.prepare(rows: tokens, columns: shape.innerSize)
  }
}

extension Linear {
  /// Computes `y = W x + b` for few rows: the work is cut by the weight's rows, so that a single
  /// token occupies all threads.
  ///
  /// - Parameters:
  ///   - inputs: Shape `[tokens, inputs]`.
  ///   - outputs: Shape `[tokens, outputs]`.
  ///   - adding: Whether the result is added to what `outputs` holds.
  fileprivate func apply(
    _ inputs: Matrix<Float>,
    to outputs: inout Matrix<Float>,
    adding: Bool = false
  ) {
    let keeping: Float = adding ? 1 : 0
    if inputs.rows == 1 {
      multiplyTiled(weight, by: inputs.storage, keeping: keeping, into: &outputs.storage)
    } else {
      multiplyTiled(inputs.view, weight.transposedView, keeping: keeping, into: &outputs)
    }
    guard let bias else { return }
    var rows = outputs.mutableElements
    for row in 0..<inputs.rows { addVector(bias.span, to: &rows, from: row * bias.count) }
  }
}

extension RotaryTable {
  /// Rotates every head of every row in place.
  ///
  /// - Parameters:
  ///   - rows: Shape `[tokens, heads · headSize]`.
  ///   - first: The position of the first row's token.
  fileprivate func rotate(_ rows: inout Matrix<Float>, from first: Int) {
    let (count, width) = (rows.rows, rows.columns)
    var vectors = rows.mutableElements
    for row in 0..<count {
      for start in stride(from: row * width, to: (row + 1) * width, by: 2 * half) {
        rotate(&vectors, from: start, position: first + row, isInverse: false)
      }
    }
  }
}
