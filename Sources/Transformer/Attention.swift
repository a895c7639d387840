import LinearAlgebra
import RealModule

/// Causal attention over a batch of sequences, each head a matrix `[length, headSize]` of its own.
///
/// Never holds more than ``queriesAtOnce`` rows of a matrix of scores for each thread, two in the
/// backward pass.
struct Attention: Sendable {
  /// How many queries are compared with the keys at a time.
  static let queriesAtOnce = 128

  let layout: HeadLayout
  let heads: Int
  let keyValueHeads: Int

  /// How many query heads share one key and value head.
  var sharing: Int { heads / keyValueHeads }
  /// The factor of the scores, `1 / √headSize`.
  var scoreScale: Float { 1 / Float(layout.headSize).squareRoot() }

  /// What one thread computes at a time: the query heads that share a key and value head.
  var groupSize: Int { sharing * layout.length * layout.headSize }

  /// Computes `softmax(Q Kᵀ / √headSize) V` for each head, each position seeing itself and what
  /// precedes it.
  ///
  /// - Parameters:
  ///   - queries: Shape `[sequences · heads · length, headSize]`.
  ///   - keys: Shape `[sequences · keyValueHeads · length, headSize]`.
  ///   - values: Like `keys`.
  ///   - context: Like `queries`.
  ///   - logSums: The logarithm of each softmax's denominator, which the backward pass needs; shape
  ///     `[sequences · heads, length]`.
  func forward(
    queries: Matrix<Float>,
    keys: Matrix<Float>,
    values: Matrix<Float>,
    into context: inout Matrix<Float>,
    logSums: inout Matrix<Float>
  ) {
    let (length, sharing) = (layout.length, sharing)
    precondition(keys.storage.count == values.storage.count, "one value for each key")
    precondition(queries.storage.count == keys.storage.count * sharing, "every head has its share")
    concurrentChunks(
      of: &context.storage,
      size: groupSize,
      and: &logSums.storage,
      size: sharing * length
    ) { index, context, logSums in
      var scores = [Float](repeating: 0, count: min(length, Self.queriesAtOnce) * length)
      for member in 0..<sharing {
        for first in stride(from: 0, to: length, by: Self.queriesAtOnce) {
          let rows = first..<min(length, first + Self.queriesAtOnce)
          let block = QueryBlock(rows: rows, head: index * sharing + member, group: index)
          attend(block, queries, keys, values, scores: &scores, member, &context, &logSums)
        }
      }
    }
  }

  /// Some consecutive queries of one head.
  struct QueryBlock {
    let rows: Range<Int>
    /// The number of the head, counted over the sequences.
    let head: Int
    /// The number of the key and value head, counted over the sequences.
    let group: Int
    /// The number of keys that the last query sees.
    var keys: Int { rows.upperBound }
  }

  private func attend(
    _ block: QueryBlock,
    _ queries: Matrix<Float>,
    _ keys: Matrix<Float>,
    _ values: Matrix<Float>,
    scores: inout [Float],
    _ member: Int,
    _ context: inout MutableSpan<Float>,
    _ logSums: inout MutableSpan<Float>
  ) {
    let (length, size) = (layout.length, layout.headSize)
    var scratch = scores.mutableSpan
    multiply(
      queries.rowView(block.head * length + block.rows.lowerBound, count: block.rows.count),
      keys.rowView(block.group * length, count: block.keys).transposed,
      scale: scoreScale,
      into: &scratch
    )
    var denominators = [Float](repeating: 0, count: block.rows.count)
    for (row, position) in block.rows.enumerated() {
      let seen = row * block.keys..<row * block.keys + position + 1
      let greatest = maximum(scratch, seen)
      let sum = exponentiate(&scratch, seen, minus: greatest)
      clear(&scratch, seen.upperBound..<(row + 1) * block.keys)
      denominators[row] = Float(sum)
      logSums[member * length + position] = greatest + Float(Double.log(sum))
    }
    let start = (member * length + block.rows.lowerBound) * size
    withPart(of: &context, start..<start + block.rows.count * size) { rows in
      multiply(
        MatrixView(scores.span, rows: block.rows.count, columns: block.keys),
        values.rowView(block.group * length, count: block.keys),
        into: &rows
      )
      for row in denominators.indices {
        scale(&rows, row * size..<(row + 1) * size, by: 1 / denominators[row])
      }
    }
  }
}
