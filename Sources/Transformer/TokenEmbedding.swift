package import LinearAlgebra
import Tensors

/// The tables that turn tokens into the first block's input.
package struct TokenEmbedding: Sendable {
  /// Shape `[vocabulary, hidden]`.
  private let table: Matrix<Float>
  /// The rows of the positions of one sequence, shape `[length, hidden]`; empty where positions are
  /// rotated.
  private let positions: Matrix<Float>

  /// Reads the tables.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - length: The tokens of the longest sequence; no more positions are kept.
  /// - Throws: ``ModelError`` if sequences are longer than the table of positions, or a table cannot be
  ///   read. Rotary positions have no limit here.
  package init(_ model: DecoderModel, length: Int) throws(ModelError) {
    let (decoder, reader) = (model.decoder, WeightReader(source: model.source))
    let width = decoder.hiddenSize
    if case .learned(let start) = decoder.position, let name = model.layout.positionEmbedding {
      guard length <= decoder.positions else {
        throw .sequenceTooLong(length: length, limit: decoder.positions)
      }
      positions = try reader.matrix(name, rows: decoder.positions + start, columns: width)
        .selecting(rows: start..<start + length)
    } else {
      positions = .zeros(rows: 0, columns: width)
    }
    table = try reader.matrix(model.layout.tokenEmbedding, rows: decoder.vocabulary, columns: width)
  }

  /// The first block's input.
  ///
  /// - Parameter sequences: The tokens, sequences of the length planned for at most.
  /// - Returns: The hidden state, shape `[sequences · length, hidden]`.
  /// - Throws: ``ModelError`` if a token is outside the vocabulary.
  package func embed(_ sequences: TokenSequences) throws(ModelError) -> Matrix<Float> {
    try sequences.check(vocabulary: table.rows)
    let width = table.columns
    var hidden: [Float] = []
    hidden.reserveCapacity(sequences.tokens.count * width)
    for (index, token) in sequences.tokens.enumerated() {
      hidden.append(contentsOf: table.storage[token * width..<(token + 1) * width])
      guard positions.rows > 0 else { continue }
      let source = index % sequences.length * width
      let target = index * width
      for column in 0..<width { hidden[target + column] += positions.storage[source + column] }
    }
    return Matrix(rows: sequences.tokens.count, columns: width, storage: hidden)
  }
}
