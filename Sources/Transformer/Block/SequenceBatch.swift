/// Consecutive whole sequences that go through a block together, and how threads share them: a
/// function of the shape, never of the machine.
///
/// Many short sequences are taken one by one, each thread going through the whole block with its
/// own, whose matrices stay in its cache. Of a few long ones each operation is shared instead.
struct SequenceBatch: Equatable, Sendable {
  /// With fewer pieces than this, operations are shared.
  private static let fewestPieces = 8
  /// The least that a thread goes through a block with, in tokens, unless one sequence is more:
  /// fewer would pack the weights too often.
  private static let tokensPerPiece = 256

  /// The batch's rows of the hidden state.
  let rows: Range<Int>
  /// The number of tokens in a sequence.
  let length: Int

  /// The rows that one piece has; the last may have fewer.
  var rowsPerPiece: Int {
    let size = max(1, Self.tokensPerPiece / length) * length
    return rows.count >= Self.fewestPieces * size ? size : rows.count
  }

  /// The number of pieces.
  var pieces: Int { (rows.count + rowsPerPiece - 1) / rowsPerPiece }

  /// How the sequences of a piece lie in memory.
  func layout(rows count: Int, headSize: Int) -> HeadLayout {
    HeadLayout(
      sequences: count / length,
      length: length,
      headSize: headSize,
      piece: pieces == 1 ? Transformer.rowsPerPiece(count) : count
    )
  }
}

extension DecoderBlock {
  /// The number of sequences in a batch: one at least.
  package static func sequencesPerBatch(
    length: Int,
    tokensPerBatch: Int = DecoderBlock.tokensPerBatch
  ) -> Int {
    max(1, tokensPerBatch / length)
  }

  /// The rows of a hidden state that go through a block together, whole sequences; the last batch may
  /// have fewer.
  package static func batchRanges(
    rows: Int,
    length: Int,
    tokensPerBatch: Int = DecoderBlock.tokensPerBatch
  ) -> [Range<Int>] {
    let step = sequencesPerBatch(length: length, tokensPerBatch: tokensPerBatch) * length
    return stride(from: 0, to: rows, by: step).map { $0..<min(rows, $0 + step) }
  }

  /// The batches that a hidden state is cut into.
  func batches(rows: Int, length: Int, tokensPerBatch: Int) -> [SequenceBatch] {
    precondition(length > 0 && rows % length == 0, "whole sequences")
    return Self.batchRanges(rows: rows, length: length, tokensPerBatch: tokensPerBatch).map {
      SequenceBatch(rows: $0, length: length)
    }
  }
}

/// The matrices that a block works with; their memory serves one batch and block after another.
package struct BlockWorkspace: Sendable {
  /// What one thread has while it takes its sequences through a block.
  struct Piece: Sendable {
    var tape = BlockTape()
    var slopes = BlockGradients()
    /// The gradients of the norms' weights, where they are asked for.
    var norms = BlockNormGradients()
    /// Whether the gradient that came out is a number everywhere.
    var isFinite = true
  }

  var pieces: [Piece] = []

  /// Memory that is made when it is first needed.
  package init() {}

  /// Makes as many pieces as a batch has.
  mutating func prepare(pieces count: Int) {
    while pieces.count < count { pieces.append(Piece()) }
  }
}
