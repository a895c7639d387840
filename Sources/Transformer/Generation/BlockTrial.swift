import LinearAlgebra

/// The work of a block for a prompt, in parts whose time depends on one width each.
package enum BlockPart: String, CaseIterable, Sendable {
  /// Queries, attention and the output projection, by the number of query heads.
  case heads
  /// Keys and values, by the number of key and value heads.
  case keyValueHeads
  /// The feed-forward part, by the number of neurons.
  case neurons
  /// The norms, which have no width.
  case norms
}

/// One part of a block with made-up weights, at a width that no model need have: for timing it.
///
/// It does what a ``Continuation`` does when it reads a prompt, with the same operations.
package struct BlockTrial {
  private let block: DecoderBlock
  private let part: BlockPart
  private let rotary: RotaryTable?
  /// The prompt in runs of ``Continuation/tokensAtOnce``.
  private var runs: [TrialRun]

  /// Makes up a block.
  ///
  /// - Parameters:
  ///   - part: What will be run.
  ///   - width: How many of the part's units there are, at least 1; the norms have none.
  ///   - decoder: The sizes that no width changes.
  ///   - tokens: The length of the prompt, at least 1.
  package init(_ part: BlockPart, width: Int, of decoder: DecoderDescription, tokens: Int) {
    precondition(width >= 1 && tokens >= 1, "there is something to run")
    self.part = part
    block = DecoderBlock(trial: decoder, part.shape(width: width, of: decoder))
    rotary = RotaryTable(decoder, length: tokens)
    runs = []
    var cache = KeyValueCache(block.shape, headSize: decoder.headSize, tokens: tokens)
    for first in stride(from: 0, to: tokens, by: Continuation.tokensAtOnce) {
      let count = min(Continuation.tokensAtOnce, tokens - first)
      var run = TrialRun(block, first: first, count: count, cache: cache)
      block.addKeysAndValues(to: &run.cache, rotary: rotary, in: &run.scratch)
      cache = run.cache
      runs.append(run)
    }
  }

  /// Does the part's work for the whole prompt once.
  package mutating func run() {
    var cache = KeyValueCache(block.shape, headSize: block.decoder.headSize, tokens: 0)
    for index in runs.indices {
      switch part {
      case .heads: runs[index].attend(block, rotary)
      case .keyValueHeads:
        block.addKeysAndValues(to: &cache, rotary: rotary, in: &runs[index].scratch)
      case .neurons: runs[index].feedForward(block)
      case .norms: runs[index].normalise(block)
      }
    }
  }
}

/// Some tokens of a prompt, and what is known when they are run.
private struct TrialRun {
  private let first: Int
  var hidden: Matrix<Float>
  var scratch = DecodingScratch()
  /// The keys and values of what precedes, and of these tokens once they are added.
  var cache: KeyValueCache

  init(_ block: DecoderBlock, first: Int, count: Int, cache: KeyValueCache) {
    self.first = first
    self.cache = cache
    let width = block.decoder.hiddenSize
    let numbers = (0..<count * width).map { Float($0 % 7) - 3 }
    hidden = Matrix(rows: count, columns: width, storage: numbers)
    scratch.prepare(block.decoder, block.shape, tokens: count)
    let piece = rowsPerPiece(count)
    block.normalise(hidden, by: block.attentionNorm, in: &scratch, piece: piece)
  }

  mutating func attend(_ block: DecoderBlock, _ rotary: RotaryTable?) {
    block.attend(&hidden, from: first, rotary: rotary, cache: cache, in: &scratch)
  }

  mutating func feedForward(_ block: DecoderBlock) {
    block.feedForward(&hidden, in: &scratch)
  }

  mutating func normalise(_ block: DecoderBlock) {
    let piece = rowsPerPiece(hidden.rows)
    for norm in [block.attentionNorm, block.feedForwardNorm] {
      block.normalise(hidden, by: norm, in: &scratch, piece: piece)
    }
  }
}

extension BlockPart {
  /// The smallest block that has the part at a width.
  fileprivate func shape(width: Int, of decoder: DecoderDescription) -> BlockShape {
    switch self {
    case .heads:
      // As many groups as the model may have, so that as much memory is read.
      let most = decoder.blockShapes.map(\.keyValueHeads).max() ?? 1
      let groups = (1...max(1, min(width, most))).last { width.isMultiple(of: $0) } ?? 1
      return BlockShape(heads: width, keyValueHeads: groups, innerSize: 1)
    case .keyValueHeads: return BlockShape(heads: width, keyValueHeads: width, innerSize: 1)
    case .neurons: return BlockShape(heads: 1, keyValueHeads: 1, innerSize: width)
    case .norms: return BlockShape(heads: 1, keyValueHeads: 1, innerSize: 1)
    }
  }
}

extension DecoderBlock {
  /// A block of a shape whose weights are small numbers.
  fileprivate init(trial decoder: DecoderDescription, _ shape: BlockShape) {
    var decoder = decoder
    decoder.blockShapes = [shape]
    let own = decoder
    func linear(_ role: LinearRole) -> Linear {
      let (outputs, inputs) = own.shape(of: role, block: 0)
      let numbers = [Float](repeating: 1 / Float(inputs), count: outputs * inputs)
      return Linear(
        weight: Matrix(rows: outputs, columns: inputs, storage: numbers),
        bias: own.biased.contains(role) ? [Float](repeating: 0, count: outputs) : nil
      )
    }
    let norm = Norm(
      kind: own.norm,
      epsilon: Float(own.normEpsilon),
      weight: [Float](repeating: 1, count: own.hiddenSize),
      bias: own.norm == .layer ? [Float](repeating: 0, count: own.hiddenSize) : nil
    )
    self.init(
      index: 0,
      decoder: own,
      groups: [],
      attentionNorm: norm,
      query: linear(.query),
      key: linear(.key),
      value: linear(.value),
      attentionOutput: linear(.attentionOutput),
      feedForwardNorm: norm,
      gate: own.isGated ? linear(.gate) : nil,
      up: linear(.up),
      down: linear(.down)
    )
  }
}

extension OutputHead {
  /// Does the work of a prompt outside of the blocks: looks its tokens up in a table of the size of
  /// the vocabulary, and computes the logits of the last one.
  ///
  /// - Parameter tokens: The length of the prompt, at least 1.
  package func runTrial(tokens: Int) {
    var hidden = Matrix.zeros(rows: tokens, columns: weight.columns)
    for row in 0..<tokens {
      let source = row % weight.rows
      hidden.replaceRows(from: row, with: weight.selecting(rows: source..<source + 1))
    }
    _ = logits(ofRow: hidden.selecting(rows: tokens - 1..<tokens))
  }
}
