import LinearAlgebra

/// A sequence that grows: each token is computed once, and its keys and values are kept.
package struct Continuation: Sendable {
  /// How many tokens go through the model at once: a bound on memory.
  package static let tokensAtOnce = 512

  private let model: ResidentModel
  private var caches: [KeyValueCache]
  private var rotary: RotaryTable?
  /// The number of positions that ``rotary`` covers.
  private var angles = 0
  private var scratch = DecodingScratch()
  /// The number of tokens so far.
  package private(set) var count = 0

  /// An empty sequence.
  ///
  /// - Parameters:
  ///   - model: The weights.
  ///   - tokens: How long the sequence is expected to become; it may become longer.
  package init(of model: ResidentModel, expecting tokens: Int = 0) {
    self.model = model
    caches = model.decoder.blockShapes.map {
      KeyValueCache($0, headSize: model.decoder.headSize, tokens: tokens)
    }
  }

  /// Adds tokens to the sequence.
  ///
  /// - Parameter tokens: What follows; at least one.
  /// - Returns: The logits of what comes next, one for each token of the vocabulary.
  /// - Throws: ``ModelError`` if a token is outside the vocabulary, the sequence exceeds the table of
  ///   positions, or a logit is NaN or infinite.
  package mutating func append(_ tokens: [Int]) throws(ModelError) -> [Float] {
    precondition(!tokens.isEmpty, "something follows")
    try check(tokens)
    var last = Matrix.zeros(rows: 0, columns: 0)
    for first in stride(from: 0, to: tokens.count, by: Self.tokensAtOnce) {
      last = run(Array(tokens[first..<min(tokens.count, first + Self.tokensAtOnce)]))
    }
    let logits = model.head.logits(ofRow: last)
    guard isFinite(logits.span) else { throw .logitsNotFinite(position: count - 1) }
    return logits
  }

  /// Runs tokens through all blocks and returns the last one's hidden state.
  private mutating func run(_ tokens: [Int]) -> Matrix<Float> {
    prepareAngles(count + tokens.count)
    var hidden = model.embed(tokens, from: count)
    for (index, block) in model.blocks.enumerated() {
      block.decode(&hidden, rotary: rotary, cache: &caches[index], scratch: &scratch)
    }
    count += tokens.count
    return hidden.selecting(rows: tokens.count - 1..<tokens.count)
  }

  /// Tabulates angles ahead, twice as many each time.
  private mutating func prepareAngles(_ positions: Int) {
    guard positions > angles else { return }
    angles = max(positions, 2 * angles, 256)
    rotary = RotaryTable(model.decoder, length: angles)
  }

  private func check(_ tokens: [Int]) throws(ModelError) {
    let vocabulary = model.decoder.vocabulary
    if let index = tokens.firstIndex(where: { !(0..<vocabulary ~= $0) }) {
      throw .tokenOutsideVocabulary(
        token: tokens[index],
        sequence: 0,
        position: count + index,
        vocabulary: vocabulary
      )
    }
    if let limit = model.longestSequence, tokens.count > limit - count {
      throw .sequenceTooLong(length: count + tokens.count, limit: limit)
    }
  }
}
