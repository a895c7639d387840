package import LinearAlgebra
import RealModule

/// Causal attention over a batch of sequences, each head a matrix `[length, headSize]` of its own.
///
/// Never holds more of a matrix of scores than ``queriesAtOnce`` rows of ``keysAtOnce`` for each
/// thread, twice that in the backward pass: what one step of the work leaves is still in the cache for
/// the next.
package struct Attention: Sendable {
  /// How many queries are compared with keys at a time.
  static let queriesAtOnce = 128
  /// With how many keys they are compared at a time; a multiple of the queries, so that each of these
  /// sees at least one key of each step.
  static let keysAtOnce = 256

  let layout: HeadLayout
  let heads: Int
  let keyValueHeads: Int

  /// Attention of some query heads, which share key and value heads evenly.
  package init(layout: HeadLayout, heads: Int, keyValueHeads: Int) {
    self.layout = layout
    self.heads = heads
    self.keyValueHeads = keyValueHeads
  }

  /// How many query heads share one key and value head.
  var sharing: Int { heads / keyValueHeads }
  /// The factor of the scores, `1 / √headSize`.
  var scoreScale: Float { 1 / Float(layout.headSize).squareRoot() }

  /// What one thread computes at a time: the query heads that share a key and value head.
  var groupSize: Int { sharing * layout.length * layout.headSize }

  /// What attention works on.
  package struct Inputs: Sendable {
    /// Shape `[sequences · heads · length, headSize]`.
    let queries: Matrix<Float>
    /// Shape `[sequences · keyValueHeads · length, headSize]`.
    let keys: Matrix<Float>
    /// Like `keys`.
    let values: Matrix<Float>

    /// Takes all three.
    package init(queries: Matrix<Float>, keys: Matrix<Float>, values: Matrix<Float>) {
      self.queries = queries
      self.keys = keys
      self.values = values
    }
  }

  /// Computes `softmax(Q Kᵀ / √headSize) V` for each head, each position seeing itself and what
  /// precedes it.
  ///
  /// - Parameters:
  ///   - inputs: Queries, keys and values.
  ///   - context: Like the queries.
  ///   - logSums: The logarithm of each softmax's denominator, which the backward pass needs; shape
  ///     `[sequences · heads, length]`.
  package func forward(
    _ inputs: Inputs,
    into context: inout Matrix<Float>,
    logSums: inout Matrix<Float>
  ) {
    let (length, sharing) = (layout.length, sharing)
    precondition(
      inputs.keys.storage.count == inputs.values.storage.count
        && inputs.queries.storage.count == inputs.keys.storage.count * sharing,
      "every head has its share"
    )
    concurrentChunks(
      of: &context.storage,
      size: groupSize,
      and: &logSums.storage,
      size: sharing * length
    ) { index, context, logSums in
      var scores = [Float](repeating: 0, count: tileSize)
      for block in blocks(ofGroup: index) {
        withPart(of: &context, place(block)) { context in
          attend(block, inputs, &scores, &context, &logSums)
        }
      }
    }
  }

  /// The most scores that are held at a time.
  var tileSize: Int {
    min(layout.length, Self.queriesAtOnce) * min(layout.length, Self.keysAtOnce)
  }

  /// Some consecutive queries of one head.
  struct QueryBlock {
    /// The positions in the sequence.
    let rows: Range<Int>
    /// The number of the head among those that share a key and value head.
    let member: Int
    /// The number of the head, counted over the sequences.
    let head: Int
    /// The number of the key and value head, counted over the sequences.
    let group: Int

    /// The keys that the queries see, some at a time.
    var keyTiles: [Range<Int>] {
      stride(from: 0, to: rows.upperBound, by: Attention.keysAtOnce).map {
        $0..<min(rows.upperBound, $0 + Attention.keysAtOnce)
      }
    }

    /// How many of a tile's keys the query in row `row` sees: those up to its own position.
    func seen(by row: Int, of keys: Range<Int>) -> Int {
      min(keys.count, rows.lowerBound + row + 1 - keys.lowerBound)
    }
  }

  /// The queries of the heads that share a key and value head, block by block.
  func blocks(ofGroup group: Int) -> [QueryBlock] {
    (0..<sharing).flatMap { member in
      stride(from: 0, to: layout.length, by: Self.queriesAtOnce).map { first in
        QueryBlock(
          rows: first..<min(layout.length, first + Self.queriesAtOnce),
          member: member,
          head: group * sharing + member,
          group: group
        )
      }
    }
  }

  /// Where a block's rows stand among those of its group, in numbers.
  func place(_ block: QueryBlock) -> Range<Int> {
    let start = (block.member * layout.length + block.rows.lowerBound) * layout.headSize
    return start..<start + block.rows.count * layout.headSize
  }
}
