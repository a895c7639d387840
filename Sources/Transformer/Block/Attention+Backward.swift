package import LinearAlgebra
import RealModule

extension Attention {
  /// What the backward pass reads: the forward pass's inputs and results, and the gradient.
  package struct Recorded: Sendable {
    let inputs: Inputs
    let context: Matrix<Float>
    let logSums: Matrix<Float>
    /// `∂loss/∂context`, shape `[sequences · heads · length, headSize]`.
    let gradients: Matrix<Float>

    /// Takes what the forward pass was given and what it left, and the gradient.
    package init(
      inputs: Inputs,
      context: Matrix<Float>,
      logSums: Matrix<Float>,
      gradients: Matrix<Float>
    ) {
      self.inputs = inputs
      self.context = context
      self.logSums = logSums
      self.gradients = gradients
    }
  }

  /// Computes the gradients with respect to queries, keys and values.
  ///
  /// With probabilities `P`, recomputed from the scores, and `E = ∂loss/∂context`:
  /// `∂loss/∂V = Pᵀ E`, `S = P ∘ (E Vᵀ − rowsum(E ∘ context))`, `∂loss/∂Q = S K / √headSize`,
  /// `∂loss/∂K = Sᵀ Q / √headSize`; keys and values add up over the heads that share them.
  ///
  /// - Parameters:
  ///   - recorded: What the forward pass left.
  ///   - queryGradients: Shape `[sequences · heads · length, headSize]`.
  ///   - pairGradients: For each key and value head a matrix for the keys, then one for the values;
  ///     shape `[sequences · keyValueHeads · 2 · length, headSize]`.
  package func backward(
    _ recorded: Recorded,
    queryGradients: inout Matrix<Float>,
    pairGradients: inout Matrix<Float>
  ) {
    let length = layout.length
    concurrentChunks(
      of: &queryGradients.storage,
      size: groupSize,
      and: &pairGradients.storage,
      size: 2 * length * layout.headSize
    ) { index, queryGradients, pairGradients in
      var scratch = Scratch(count: tileSize)
      clear(&pairGradients, 0..<pairGradients.count)
      for block in blocks(ofGroup: index) {
        let means = gradientMeans(block, recorded)
        withPart(of: &queryGradients, place(block)) { queryGradients in
          for keys in block.keyTiles {
            compare(block, keys, recorded.inputs, &scratch.probabilities)
            differentiate(block, keys, recorded, means, &scratch)
            gather(block, keys, recorded, scratch, &queryGradients, &pairGradients)
          }
        }
      }
    }
  }

  /// What one thread holds of one head's matrices of queries by keys.
  private struct Scratch {
    /// `P`.
    var probabilities: [Float]
    /// `S`.
    var slopes: [Float]

    init(count: Int) {
      probabilities = [Float](repeating: 0, count: count)
      slopes = probabilities
    }
  }

  /// `rowsum(E ∘ context)` for some queries.
  private func gradientMeans(_ block: QueryBlock, _ recorded: Recorded) -> [Float] {
    let size = layout.headSize
    let first = block.head * layout.length + block.rows.lowerBound
    return (first..<first + block.rows.count).map { row in
      dot(
        recorded.gradients.storage.span.extracting(row * size..<(row + 1) * size),
        recorded.context.storage.span.extracting(row * size..<(row + 1) * size)
      )
    }
  }

  /// Turns the scores of some queries and keys into `P`, and computes `S`.
  private func differentiate(
    _ block: QueryBlock,
    _ keys: Range<Int>,
    _ recorded: Recorded,
    _ means: [Float],
    _ scratch: inout Scratch
  ) {
    let length = layout.length
    let first = block.head * length + block.rows.lowerBound
    multiplySlopes(
      recorded.gradients.rowView(first, count: block.rows.count),
      recorded.inputs.values.rowView(block.group * length + keys.lowerBound, count: keys.count),
      &scratch.slopes
    )
    let logSums = recorded.logSums.storage.span.extracting(first..<first + block.rows.count)
    finish(block, keys, logSums, means, &scratch.probabilities, &scratch.slopes)
  }

  /// `E Vᵀ`.
  private func multiplySlopes(
    _ gradients: MatrixView<Float>,
    _ values: MatrixView<Float>,
    _ slopes: inout [Float]
  ) {
    var slopes = slopes.mutableSpan
    multiply(gradients, values.transposed, into: &slopes)
  }

  /// Finishes `P` and `S`, both zero where a query does not see the key.
  private func finish(
    _ block: QueryBlock,
    _ keys: Range<Int>,
    _ logSums: Span<Float>,
    _ means: [Float],
    _ probabilityEntries: inout [Float],
    _ slopeEntries: inout [Float]
  ) {
    var probabilities = probabilityEntries.mutableSpan
    var slopes = slopeEntries.mutableSpan
    for row in 0..<block.rows.count {
      let start = row * keys.count
      let seen = start..<start + block.seen(by: row, of: keys)
      differentiateRow(
        &probabilities,
        &slopes,
        seen,
        logSum: logSums[row],
        mean: means[row]
      )
      clear(&probabilities, seen.upperBound..<start + keys.count)
      clear(&slopes, seen.upperBound..<start + keys.count)
    }
  }

  private func differentiateRow(
    _ probabilities: inout MutableSpan<Float>,
    _ slopes: inout MutableSpan<Float>,
    _ seen: Range<Int>,
    logSum: Float,
    mean: Float
  ) {
    precondition(seen.lowerBound >= 0 && seen.upperBound <= slopes.count, "the range lies within")
    precondition(probabilities.count == slopes.count, "one slope for each probability")
    // SAFETY: the preconditions cover every index.
    for index in seen {
      // A score may exceed the sum's logarithm by rounding.
      let score = unsafe probabilities[unchecked: index] - logSum
      let probability = exponential(score > 0 ? 0 : score)
      unsafe probabilities[unchecked: index] = probability
      unsafe slopes[unchecked: index] = probability * (slopes[unchecked: index] - mean)
    }
  }

  /// Adds what some queries and keys contribute to the gradients.
  private func gather(
    _ block: QueryBlock,
    _ keys: Range<Int>,
    _ recorded: Recorded,
    _ scratch: Scratch,
    _ queryGradients: inout MutableSpan<Float>,
    _ pairGradients: inout MutableSpan<Float>
  ) {
    let (length, size, rows) = (layout.length, layout.headSize, block.rows.count)
    let first = block.head * length + block.rows.lowerBound
    let slopes = MatrixView(scratch.slopes.span, rows: rows, columns: keys.count)
    let probabilities = MatrixView(scratch.probabilities.span, rows: rows, columns: keys.count)
    multiply(
      slopes,
      recorded.inputs.keys.rowView(block.group * length + keys.lowerBound, count: keys.count),
      scale: scoreScale,
      keeping: keys.lowerBound == 0 ? 0 : 1,
      into: &queryGradients
    )
    withPart(of: &pairGradients, keys.lowerBound * size..<keys.upperBound * size) {
      multiply(
        slopes.transposed,
        recorded.inputs.queries.rowView(first, count: rows),
        scale: scoreScale,
        keeping: 1,
        into: &$0
      )
    }
    let valueRows = (length + keys.lowerBound) * size..<(length + keys.upperBound) * size
    withPart(of: &pairGradients, valueRows) {
      multiply(
        probabilities.transposed,
        recorded.gradients.rowView(first, count: rows),
        keeping: 1,
        into: &$0
      )
    }
  }
}
