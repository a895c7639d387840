import LinearAlgebra
import RealModule

extension Attention {
  /// What the backward pass reads: the forward pass's inputs and results, and the gradient.
  struct Recorded: Sendable {
    let inputs: Inputs
    let context: Matrix<Float>
    let logSums: Matrix<Float>
    /// `∂loss/∂context`, shape `[sequences · heads · length, headSize]`.
    let gradients: Matrix<Float>
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
  func backward(
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
      var scratch = Scratch(count: min(length, Self.queriesAtOnce) * length)
      clear(&pairGradients, 0..<pairGradients.count)
      for block in blocks(ofGroup: index) {
        differentiate(block, recorded, &scratch.probabilities, &scratch.slopes)
        withPart(of: &queryGradients, place(block)) { queryGradients in
          gather(block, recorded, scratch, &queryGradients, &pairGradients)
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

  /// Computes `P` and `S` for some queries.
  private func differentiate(
    _ block: QueryBlock,
    _ recorded: Recorded,
    _ probabilityEntries: inout [Float],
    _ slopeEntries: inout [Float]
  ) {
    var probabilities = probabilityEntries.mutableSpan
    var slopes = slopeEntries.mutableSpan
    let length = layout.length
    let first = block.head * length + block.rows.lowerBound
    let gradients = recorded.gradients.rowView(first, count: block.rows.count)
    let contexts = recorded.context.rowView(first, count: block.rows.count)
    multiply(
      recorded.inputs.queries.rowView(first, count: block.rows.count),
      recorded.inputs.keys.rowView(block.group * length, count: block.keys).transposed,
      scale: scoreScale,
      into: &probabilities
    )
    multiply(
      gradients,
      recorded.inputs.values.rowView(block.group * length, count: block.keys).transposed,
      into: &slopes
    )
    let size = layout.headSize
    for (row, position) in block.rows.enumerated() {
      let vector = row * size..<(row + 1) * size
      let mean = dot(gradients.elements.extracting(vector), contexts.elements.extracting(vector))
      let start = row * block.keys
      differentiateRow(
        &probabilities,
        &slopes,
        start..<start + position + 1,
        logSum: recorded.logSums.storage[block.head * length + position],
        mean: mean
      )
      clear(&probabilities, start + position + 1..<start + block.keys)
      clear(&slopes, start + position + 1..<start + block.keys)
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

  /// Adds what some queries contribute to the gradients.
  private func gather(
    _ block: QueryBlock,
    _ recorded: Recorded,
    _ scratch: Scratch,
    _ queryGradients: inout MutableSpan<Float>,
    _ pairGradients: inout MutableSpan<Float>
  ) {
    let length = layout.length
    let first = block.head * length + block.rows.lowerBound
    let slopes = MatrixView(scratch.slopes.span, rows: block.rows.count, columns: block.keys)
    multiply(
      slopes,
      recorded.inputs.keys.rowView(block.group * length, count: block.keys),
      scale: scoreScale,
      into: &queryGradients
    )
    multiply(
      slopes.transposed,
      recorded.inputs.queries.rowView(first, count: block.rows.count),
      scale: scoreScale,
      keeping: 1,
      into: &pairGradients
    )
    let probabilities = MatrixView(
      scratch.probabilities.span,
      rows: block.rows.count,
      columns: block.keys
    )
    let middle = length * layout.headSize
    withPart(of: &pairGradients, middle..<2 * middle) { valueGradients in
      multiply(
        probabilities.transposed,
        recorded.gradients.rowView(first, count: block.rows.count),
        keeping: 1,
        into: &valueGradients
      )
    }
  }
}
