import LinearAlgebra

/// What a block's forward pass leaves for its backward pass; its memory serves one batch and
/// block after another.
struct BlockTape {
  private static let empty = Matrix.zeros(rows: 0, columns: 0)

  /// How sequences and heads lie in memory.
  private(set) var layout = HeadLayout(sequences: 0, length: 0, headSize: 0, piece: 1)
  /// The block's input; shape `[tokens, hidden]`, as all without a comment.
  var input = empty
  var attentionInput = empty
  /// Shape `[tokens, 2]`.
  var attentionMoments = empty
  /// Scratch of the width of all query heads; shape `[tokens, heads · headSize]`.
  var wide = empty
  /// Scratch of the width of all key heads; shape `[tokens, keyValueHeads · headSize]`.
  var narrow = empty
  /// Shape `[sequences · heads · length, headSize]`.
  var queries = empty
  /// Shape `[sequences · keyValueHeads · length, headSize]`.
  var keys = empty
  /// Like `keys`.
  var values = empty
  /// Like `queries`.
  var context = empty
  /// Shape `[sequences · heads, length]`.
  var logSums = empty
  /// The input of the attention's output layer; shape `[tokens, heads · headSize]`.
  var contextRows = empty
  /// The hidden state between the two parts.
  var residual = empty
  var feedForwardInput = empty
  /// Shape `[tokens, 2]`.
  var feedForwardMoments = empty
  /// The gate before its activation; shape `[tokens, inner]`, empty without a gate.
  var gate = empty
  /// The neurons before activation or gating; shape `[tokens, inner]`.
  var up = empty
  /// The input of the last layer; shape `[tokens, inner]`.
  var neurons = empty

  /// Makes room for some sequences.
  ///
  /// - Parameters:
  ///   - decoder: The model.
  ///   - shape: The block's sizes.
  ///   - layout: How they lie in memory.
  mutating func prepare(
    _ decoder: DecoderDescription,
    _ shape: BlockShape,
    _ layout: HeadLayout
  ) {
    let (size, hidden) = (decoder.headSize, decoder.hiddenSize)
    let (tokens, length) = (layout.sequences * layout.length, layout.length)
    self.layout = layout
    input.prepare(rows: tokens, columns: hidden)
    residual.prepare(rows: tokens, columns: hidden)
    attentionInput.prepare(rows: tokens, columns: hidden)
    attentionMoments.prepare(rows: tokens, columns: 2)
    wide.prepare(rows: tokens, columns: shape.heads * size)
    narrow.prepare(rows: tokens, columns: shape.keyValueHeads * size)
    queries.prepare(rows: tokens * shape.heads, columns: size)
    keys.prepare(rows: tokens * shape.keyValueHeads, columns: size)
    values.prepare(rows: tokens * shape.keyValueHeads, columns: size)
    context.prepare(rows: tokens * shape.heads, columns: size)
    logSums.prepare(rows: layout.sequences * shape.heads, columns: length)
    contextRows.prepare(rows: tokens, columns: shape.heads * size)
    feedForwardInput.prepare(rows: tokens, columns: hidden)
    feedForwardMoments.prepare(rows: tokens, columns: 2)
    if decoder.isGated { gate.prepare(rows: tokens, columns: shape.innerSize) }
    up.prepare(rows: tokens, columns: shape.innerSize)
    neurons.prepare(rows: tokens, columns: shape.innerSize)
  }
}
