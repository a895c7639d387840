import LinearAlgebra
import RealModule

/// What is known of the softmax of each of some queries after some of their keys.
private struct RunningSoftmax {
  /// The greatest score so far.
  var greatest: [Float]
  /// The sum of `exp(score − greatest)` so far.
  var sums: [Double]

  init(queries: Int) {
    greatest = [Float](repeating: -.infinity, count: queries)
    sums = [Double](repeating: 0, count: queries)
  }
}

extension Attention {
  /// Attends from some queries to all keys that they see, some keys at a time.
  ///
  /// Whenever a greater score turns up, what was summed with the older one is scaled down.
  ///
  /// - Parameters:
  ///   - block: The queries.
  ///   - inputs: Queries, keys and values.
  ///   - scores: Scratch for ``tileSize`` numbers.
  ///   - context: Receives the block's rows.
  ///   - logSums: Those of the block's group; the block's are written.
  func attend(
    _ block: QueryBlock,
    _ inputs: Inputs,
    _ scores: inout [Float],
    _ context: inout MutableSpan<Float>,
    _ logSums: inout MutableSpan<Float>
  ) {
    var softmax = RunningSoftmax(queries: block.rows.count)
    for keys in block.keyTiles {
      compare(block, keys, inputs, &scores)
      weigh(block, keys, &scores, &softmax, &context)
      multiply(
        MatrixView(scores.span, rows: block.rows.count, columns: keys.count),
        inputs.values.rowView(block.group * layout.length + keys.lowerBound, count: keys.count),
        keeping: keys.lowerBound == 0 ? 0 : 1,
        into: &context
      )
    }
    let size = layout.headSize
    for (row, position) in block.rows.enumerated() {
      let sum = softmax.sums[row]
      scale(&context, row * size..<(row + 1) * size, by: 1 / Float(sum))
      logSums[block.member * layout.length + position] =
        softmax.greatest[row] + Float(Double.log(sum))
    }
  }

  /// Computes the scores of some queries and keys, `Q Kᵀ / √headSize`; shape `[queries, keys]`.
  func compare(
    _ block: QueryBlock,
    _ keys: Range<Int>,
    _ inputs: Inputs,
    _ scores: inout [Float]
  ) {
    let length = layout.length
    var entries = scores.mutableSpan
    multiply(
      inputs.queries.rowView(
        block.head * length + block.rows.lowerBound,
        count: block.rows.count
      ),
      inputs.keys.rowView(block.group * length + keys.lowerBound, count: keys.count).transposed,
      scale: scoreScale,
      into: &entries
    )
  }

  /// Turns scores into `exp(score − greatest)`, zero where a query does not see the key, and brings
  /// what was summed before to the same `greatest`.
  private func weigh(
    _ block: QueryBlock,
    _ keys: Range<Int>,
    _ scores: inout [Float],
    _ softmax: inout RunningSoftmax,
    _ context: inout MutableSpan<Float>
  ) {
    var scores = scores.mutableSpan
    let size = layout.headSize
    for row in 0..<block.rows.count {
      let start = row * keys.count
      let seen = start..<start + block.seen(by: row, of: keys)
      let older = softmax.greatest[row]
      let greatest = max(older, maximum(scores, seen))
      let sum = exponentiate(&scores, seen, minus: greatest)
      clear(&scores, seen.upperBound..<start + keys.count)
      if keys.lowerBound > 0, greatest > older {
        let share = exponential(older - greatest)
        scale(&context, row * size..<(row + 1) * size, by: share)
        softmax.sums[row] *= Double(share)
      }
      softmax.greatest[row] = greatest
      softmax.sums[row] += sum
    }
  }
}
