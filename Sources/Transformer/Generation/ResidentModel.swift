import LinearAlgebra

/// A decoder with all its weights in memory, in single precision.
package struct ResidentModel: Sendable {
  /// What the configuration says about the model.
  package let decoder: DecoderDescription
  let blocks: [DecoderBlock]
  let head: OutputHead
  /// Shape `[vocabulary, hidden]`; shares the memory of the head's weight where they are tied.
  let tokenEmbedding: Matrix<Float>
  /// The vectors of learned positions from position 0 on, `[positions, hidden]`.
  let positionEmbedding: Matrix<Float>?

  /// The most tokens that a sequence can have; nil without a limit.
  package var longestSequence: Int? { positionEmbedding?.rows }

  /// Reads all weights.
  ///
  /// - Parameters:
  ///   - model: Where the weights come from.
  ///   - progress: Is told the number of blocks read so far.
  /// - Throws: ``ModelError`` if a tensor cannot be read or holds NaN or infinity.
  package init(
    _ model: DecoderModel,
    progress: (Int) -> Void = { _ in }
  ) throws(ModelError) {
    decoder = model.decoder
    let reader = WeightReader(source: model.source)
    let width = decoder.hiddenSize
    head = try model.loadHead()
    if decoder.isTied {
      tokenEmbedding = head.weight
    } else {
      tokenEmbedding = try reader.matrix(
        model.layout.tokenEmbedding,
        rows: decoder.vocabulary,
        columns: width
      )
    }
    if case .learned(let offset) = decoder.position, let name = model.layout.positionEmbedding {
      let rows = decoder.positions + offset
      let table = try reader.matrix(name, rows: rows, columns: width)
      positionEmbedding = table.selecting(rows: offset..<offset + decoder.positions)
    } else {
      positionEmbedding = nil
    }
    var blocks: [DecoderBlock] = []
    for index in 0..<decoder.blocks {
      blocks.append(try model.loadBlock(index))
      progress(index + 1)
    }
    self.blocks = blocks
  }

  /// The first block's input.
  ///
  /// - Parameters:
  ///   - tokens: Tokens of the vocabulary.
  ///   - first: The position of the first of them.
  /// - Returns: Shape `[tokens, hidden]`.
  func embed(_ tokens: [Int], from first: Int) -> Matrix<Float> {
    var hidden = Matrix.zeros(rows: tokens.count, columns: decoder.hiddenSize)
    for (row, token) in tokens.enumerated() {
      hidden.replaceRows(from: row, with: tokenEmbedding.selecting(rows: token..<token + 1))
    }
    guard let positionEmbedding else { return hidden }
    let positions = positionEmbedding.selecting(rows: first..<first + tokens.count)
    var sums = hidden.mutableElements
    addVector(positions.elements, to: &sums, from: 0)
    return hidden
  }
}

extension OutputHead {
  /// The logits of one position.
  ///
  /// - Parameter hidden: The last block's output; shape `[1, hidden]`.
  /// - Returns: One number for each token of the vocabulary.
  func logits(ofRow hidden: Matrix<Float>) -> [Float] {
    var normalised = Matrix.zeros(rows: 1, columns: hidden.columns)
    var moments = Matrix.zeros(rows: 1, columns: 2)
    norm.forward(hidden, into: &normalised, moments: &moments, piece: 1)
    var logits = [Float](repeating: 0, count: weight.rows)
    multiplyTiled(weight, by: normalised.storage, into: &logits)
    return logits
  }
}
