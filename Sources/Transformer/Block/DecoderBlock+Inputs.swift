import LinearAlgebra

extension DecoderBlock {
  /// Runs the block forward for its linear layers' inputs alone; the hidden state stays as it is.
  ///
  /// - Parameters:
  ///   - passed: The block's input.
  ///   - workspace: Memory that serves one call after another.
  ///   - observer: Is shown all linear layers once for each batch, without gradients.
  package func showInputs(
    _ passed: BlockInput,
    in workspace: inout BlockWorkspace,
    to observer: inout some LinearObserver
  ) {
    let (input, length, width) = (passed.hidden, passed.length, decoder.hiddenSize)
    let rotary = RotaryTable(decoder, length: length)
    for batch in batches(rows: input.rows, length: length, tokensPerBatch: passed.tokensPerBatch) {
      workspace.prepare(pieces: batch.pieces)
      concurrentUpdates(of: &workspace.pieces, count: batch.pieces) { index, piece in
        let first = batch.rows.lowerBound + index * batch.rowsPerPiece
        let rows = first..<min(batch.rows.upperBound, first + batch.rowsPerPiece)
        record(
          input.storage.span.extracting(rows.lowerBound * width..<rows.upperBound * width),
          batch.layout(rows: rows.count, headSize: decoder.headSize),
          rotary,
          in: &piece.tape
        )
      }
      observer.observe(inputs(of: workspace.pieces[..<batch.pieces]))
    }
  }

  /// What the linear layers read in a batch, without gradients.
  func inputs(of pieces: ArraySlice<BlockWorkspace.Piece>) -> [LinearTraffic] {
    let inputs = [
      pieces.map(\.tape.attentionInput), pieces.map(\.tape.contextRows),
      pieces.map(\.tape.feedForwardInput), pieces.map(\.tape.neurons),
    ]
    return zip(parts.selected(groups), parts.selected(inputs)).map {
      LinearTraffic(group: $0, inputs: $1, gradients: [])
    }
  }
}
