import LinearAlgebra

/// Causal attention of a sequence's last tokens over all tokens in a cache, theirs included.
struct CachedAttention: Sendable {
  let shape: BlockShape
  let cache: KeyValueCache

  /// Computes `softmax(Q Kᵀ / √headSize) V` for each head, each token seeing itself and what
  /// precedes it.
  ///
  /// - Parameters:
  ///   - queries: Those of the last tokens; shape `[tokens, heads · headSize]`.
  ///   - context: Shape `[heads · tokens, headSize]`.
  func forward(_ queries: Matrix<Float>, into context: inout Matrix<Float>) {
    let (tokens, size) = (queries.rows, cache.headSize)
    precondition(queries.columns == shape.heads * size, "all heads of this block")
    precondition(context.storage.count == queries.storage.count, "one number for each number")
    precondition(tokens <= cache.count, "the tokens are in the cache")
    concurrentChunks(of: &context.storage, size: tokens * size) { head, context in
      for first in stride(from: 0, to: tokens, by: Attention.queriesAtOnce) {
        let rows = first..<min(tokens, first + Attention.queriesAtOnce)
        withPart(of: &context, rows.lowerBound * size..<rows.upperBound * size) { context in
          attend(rows, of: queries, head: head, into: &context)
        }
      }
    }
  }

  private func attend(
    _ rows: Range<Int>,
    of queries: Matrix<Float>,
    head: Int,
    into context: inout MutableSpan<Float>
  ) {
    let size = cache.headSize
    let (group, past) = (head / shape.headsPerGroup, cache.count - queries.rows)
    let seen = past + rows.upperBound
    let start = rows.lowerBound * queries.columns + head * size
    var scores = [Float](repeating: 0, count: rows.count * seen)
    var scratch = scores.mutableSpan
    multiplyRows(
      MatrixView(
        queries.elements.extracting(start..<queries.elements.count),
        rows: rows.count,
        columns: size,
        stride: queries.columns
      ),
      cache.keys(ofHead: group, count: seen).transposed,
      scale: 1 / Float(size).squareRoot(),
      into: &scratch
    )
    for (row, token) in rows.enumerated() {
      let own = row * seen..<row * seen + past + token + 1
      let sum = exponentiate(&scratch, own, minus: maximum(scratch, own))
      scale(&scratch, own, by: Float(1 / sum))
      clear(&scratch, own.upperBound..<(row + 1) * seen)
    }
    multiplyRows(
      MatrixView(scores.span, rows: rows.count, columns: seen),
      cache.values(ofHead: group, count: seen),
      into: &context
    )
  }

  /// The product of few rows and a matrix; one row is a vector, for which nothing is rearranged.
  private func multiplyRows(
    _ left: MatrixView<Float>,
    _ right: MatrixView<Float>,
    scale: Float = 1,
    into result: inout MutableSpan<Float>
  ) {
    guard left.rows == 1 else { return multiply(left, right, scale: scale, into: &result) }
    let row = left.elements.extracting(0..<left.columns)
    multiply(right.transposed, by: row, scale: scale, into: &result)
  }
}
