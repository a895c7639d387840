package import LinearAlgebra
import RealModule

extension OutputHead {
  /// The mean cross entropy of each sequence over its `length − 1` predicted positions, in nats.
  ///
  /// - Parameters:
  ///   - hidden: The last block's output, shape `[sequences · length, hidden]`.
  ///   - sequences: The tokens.
  /// - Returns: One number for each sequence.
  /// - Throws: ``ModelError`` if sequences are too short or a loss is not finite.
  package func losses(
    _ hidden: Matrix<Float>,
    _ sequences: TokenSequences
  ) throws(ModelError) -> [Double] {
    try check(hidden, sequences)
    let places = Places(sequences: sequences, firstSequence: 0, labels: .text)
    var slice = HeadSlice()
    var losses = [Double](repeating: 0, count: hidden.rows)
    for rows in slices(of: hidden) {
      project(hidden.selecting(rows: rows), in: &slice)
      crossEntropy(&slice.logits, from: rows.lowerBound, places, &losses, isGradientWanted: false)
    }
    return try Self.means(losses, sequences)
  }

  /// Replaces the hidden state by the gradient of the loss with respect to it.
  ///
  /// - Parameters:
  ///   - hidden: The last block's output, shape `[sequences · length, hidden]`; becomes the gradient
  ///     of the sum over positions of cross entropy, in nats. The last position of each sequence
  ///     predicts nothing: its gradient is zero.
  ///   - sequences: The tokens.
  ///   - labels: What each position is to predict.
  ///   - firstSequence: The number of the first sequence, where a larger set is worked on in parts.
  /// - Returns: The mean cross entropy of each sequence over its `length − 1` predicted positions
  ///   with the text's tokens as labels, in nats.
  /// - Throws: ``ModelError`` if sequences are too short or a loss is not finite.
  package func differentiate(
    _ hidden: inout Matrix<Float>,
    _ sequences: TokenSequences,
    labels: LabelSource,
    firstSequence: Int = 0
  ) throws(ModelError) -> [Double] {
    let places = Places(sequences: sequences, firstSequence: firstSequence, labels: labels)
    return try differentiate(&hidden, places) { _, _ in }.losses
  }

  /// Like ``differentiate(_:_:labels:firstSequence:)`` with the text's tokens as labels, and shows
  /// what the gradients of the head's own weights are made from.
  ///
  /// - Parameters:
  ///   - hidden: The last block's output; becomes the gradient with respect to it.
  ///   - sequences: The tokens.
  ///   - teacher: Predictions whose weighted divergence is added to the loss, if any.
  ///   - observer: Is shown one slice of positions after the other.
  /// - Returns: The losses of each sequence.
  /// - Throws: ``ModelError`` if sequences are too short or a loss is not finite.
  package func differentiate(
    _ hidden: inout Matrix<Float>,
    _ sequences: TokenSequences,
    teacher: HeadTeacher? = nil,
    observer: inout some HeadObserver
  ) throws(ModelError) -> HeadLosses {
    let places = Places(sequences: sequences, firstSequence: 0, labels: .text)
    return try differentiate(&hidden, places, teacher) { input, slice in
      let gradient = norm.weightGradient(slice.gradients, inputs: input, moments: slice.moments)
      observer.observe(
        HeadTraffic(inputs: slice.normalised, gradients: slice.logits, norm: gradient)
      )
    }
  }

  /// Takes the gradient; `show` sees the input of each slice and what was made of it.
  private func differentiate(
    _ hidden: inout Matrix<Float>,
    _ places: Places,
    _ teacher: HeadTeacher? = nil,
    show: (Matrix<Float>, HeadSlice) -> Void
  ) throws(ModelError) -> HeadLosses {
    let sequences = places.sequences
    try check(hidden, sequences)
    var slice = HeadSlice()
    var losses = [Double](repeating: 0, count: hidden.rows)
    var divergences: [Double] = []
    for rows in slices(of: hidden) {
      let input = hidden.selecting(rows: rows)
      project(input, in: &slice)
      let pull = teacher?.pull(on: slice.logits, from: rows.lowerBound, length: sequences.length)
      crossEntropy(&slice.logits, from: rows.lowerBound, places, &losses, isGradientWanted: true)
      if let pull {
        var slopes = slice.logits.mutableElements
        addVector(pull.slopes.span, to: &slopes, from: 0)
        divergences += pull.divergences
      }
      projectBack(in: &slice)
      show(input, slice)
      var result = Matrix.zeros(rows: rows.count, columns: hidden.columns)
      norm.backward(
        slice.gradients,
        inputs: input,
        moments: slice.moments,
        addingTo: &result,
        piece: rowsPerPiece(rows.count)
      )
      hidden.replaceRows(from: rows.lowerBound, with: result)
    }
    return HeadLosses(
      losses: try Self.means(losses, sequences),
      divergences: divergences.isEmpty ? [] : try Self.means(divergences, sequences)
    )
  }

  /// What the rows of the hidden state are to predict.
  private struct Places: Sendable {
    let sequences: TokenSequences
    let firstSequence: Int
    let labels: LabelSource

    /// The text's next token; nil at the end of a sequence.
    func next(_ row: Int) -> Int? {
      (row + 1) % sequences.length == 0 ? nil : sequences.tokens[row + 1]
    }

    /// The random number of a row, where labels are drawn.
    func uniform(_ row: Int) -> Double? {
      guard case .model(let seed) = labels else { return nil }
      let (sequence, position) = row.quotientAndRemainder(dividingBy: sequences.length)
      return PlaceGenerator(seed: seed)
        .uniform(sequence: firstSequence + sequence, position: position)
    }
  }

  /// Stores the cross entropy of every row and, if wanted, turns logits into its gradient.
  private func crossEntropy(
    _ logits: inout Matrix<Float>,
    from first: Int,
    _ places: Places,
    _ losses: inout [Double],
    isGradientWanted: Bool
  ) {
    let width = weight.rows
    let rows = logits.rows
    var slice = [Double](repeating: 0, count: rows)
    let piece = max(1, min(16, (rows + 15) / 16))
    concurrentChunks(
      of: &logits.storage,
      size: piece * width,
      and: &slice,
      size: piece
    ) { index, logits, losses in
      for row in 0..<losses.count {
        let place = first + index * piece + row
        let range = row * width..<(row + 1) * width
        guard let next = places.next(place) else {
          clear(&logits, range)
          continue
        }
        let greatest = maximum(logits, range)
        let chosen = logits[range.lowerBound + next]
        let sum = exponentiate(&logits, range, minus: greatest)
        losses[row] = Double(greatest) - Double(chosen) + Double.log(sum)
        guard isGradientWanted else { continue }
        let label =
          places.uniform(place).map { drawIndex(logits, range, below: $0 * sum) } ?? next
        scale(&logits, range, by: Float(1 / sum))
        logits[range.lowerBound + label] -= 1
      }
    }
    losses.replaceSubrange(first..<first + rows, with: slice)
  }

  private func slices(of hidden: Matrix<Float>) -> [Range<Int>] {
    stride(from: 0, to: hidden.rows, by: positionsAtOnce).map {
      $0..<min(hidden.rows, $0 + positionsAtOnce)
    }
  }

  private func check(_ hidden: Matrix<Float>, _ sequences: TokenSequences) throws(ModelError) {
    precondition(hidden.rows == sequences.tokens.count, "one row for each token")
    precondition(hidden.columns == weight.columns, "a hidden state of this model")
    guard sequences.length > 1 else { throw .sequenceTooShort(length: sequences.length) }
    try sequences.check(vocabulary: weight.rows)
  }

  private static func means(
    _ losses: [Double],
    _ sequences: TokenSequences
  ) throws(ModelError) -> [Double] {
    var means: [Double] = []
    for sequence in 0..<sequences.count {
      let start = sequence * sequences.length
      let sum = losses[start..<start + sequences.length].reduce(0, +)
      guard sum.isFinite else { throw .lossNotFinite(sequence: sequence) }
      means.append(sum / Double(sequences.length - 1))
    }
    return means
  }
}
