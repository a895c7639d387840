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

  /// What attention works on.
  struct Inputs: Sendable {
    /// Shape `[sequences · heads · length, headSize]`.
    let queries: Matrix<Float>
    /// Shape `[sequences · keyValueHeads · length, headSize]`.
    let keys: Matrix<Float>
    /// Like `keys`.
    let values: Matrix<Float>
  }

  /// Computes `softmax(Q Kᵀ / √headSize) V` for each head, each position seeing itself and what
  /// precedes it.
  ///
  /// - Parameters:
  ///   - inputs: Queries, keys and values.
  ///   - context: Like the queries.
  ///   - logSums: The logarithm of each softmax's denominator, which the backward pass needs; shape
  ///     `[sequences · heads, length]`.
  func forward(_ inputs: Inputs, into context: inout Matrix<Float>, logSums: inout Matrix<Float>) {
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
      var scores = [Float](repeating: 0, count: min(length, Self.queriesAtOnce) * length)
      for block in blocks(ofGroup: index) {
        attend(block, inputs, &scores, &context, &logSums)
      }
    }
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

    /// The number of keys that the last query sees.
    var keys: Int { rows.upperBound }
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

  private func attend(
    _ block: QueryBlock,
    _ inputs: Inputs,
    _ scores: inout [Float],
    _ context: inout MutableSpan<Float>,
    _ logSums: inout MutableSpan<Float>
  ) {
    let (length, size) = (layout.length, layout.headSize)
    var scratch = scores.mutableSpan
    multiply(
      inputs.queries.rowView(
        block.head * length + block.rows.lowerBound,
        count: block.rows.count
      ),
      inputs.keys.rowView(block.group * length, count: block.keys).transposed,
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
      logSums[block.member * length + position] = greatest + Float(Double.log(sum))
    }
    withPart(of: &context, place(block)) { rows in
      multiply(
        MatrixView(scores.span, rows: block.rows.count, columns: block.keys),
        inputs.values.rowView(block.group * length, count: block.keys),
        into: &rows
      )
      for row in denominators.indices {
        scale(&rows, row * size..<(row + 1) * size, by: 1 / denominators[row])
      }
    }
  }
}
