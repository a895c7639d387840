package import LinearAlgebra
import RealModule

/// How much a unit changes the hidden state, from the states before and after it: the scores that
/// need no other run of the model.
///
/// Sums are double precision. With `x` before and `y` after the unit, per token:
/// `1 − cos(x, y)`, `‖y − x‖₁`, `‖y − x‖₂`, and the last two divided by the norm of `x`.
package struct UpdateSums: Equatable, Sendable {
  /// The scores; the lower, the less the unit does.
  package struct Scores: Equatable, Sendable {
    /// The mean of `1 − cos(x, y)`, 0 to 2; "block influence" (Men et al., arXiv 2403.03853).
    package var cosine = 0.0
    /// The mean over sequences of `arccos(cos(x, y)) / π` at the last token, 0 to 1 (Gromov et al.,
    /// arXiv 2403.17887).
    package var angular = 0.0
    /// The mean of `‖y − x‖₁`.
    package var l1 = 0.0
    /// The mean of `‖y − x‖₂`.
    package var l2 = 0.0
    /// The mean of `‖y − x‖₁ / ‖x‖₁`.
    package var relativeL1 = 0.0
    /// The mean of `‖y − x‖₂ / ‖x‖₂`.
    package var relativeL2 = 0.0
  }

  private var sums = Scores()
  private var tokens = 0
  private var sequences = 0

  /// Nothing seen yet.
  package init() {}

  /// Adds some sequences.
  ///
  /// - Parameters:
  ///   - before: `x`, shape `[sequences · length, hidden]`.
  ///   - after: `y`, of the same shape.
  ///   - length: The number of tokens in a sequence.
  package mutating func add(before: Matrix<Float>, after: Matrix<Float>, length: Int) {
    precondition(before.rows == after.rows && before.columns == after.columns, "one shape")
    precondition(length > 0 && before.rows % length == 0, "whole sequences")
    let width = before.columns
    // A sum for each sequence, added in their order, does not depend on the number of threads.
    let parts = concurrentMap(count: before.rows / length) { sequence in
      var sums = Scores()
      for row in sequence * length..<(sequence + 1) * length {
        let range = row * width..<(row + 1) * width
        TokenUpdate(
          before.storage.span.extracting(range),
          after.storage.span.extracting(range)
        ).add(to: &sums, isLast: (row + 1) % length == 0)
      }
      return sums
    }
    for part in parts { sums.add(part) }
    tokens += before.rows
    sequences += before.rows / length
  }

  /// The means over all tokens, for the angle over all sequences.
  package var scores: Scores {
    precondition(tokens > 0, "something was seen")
    let share = 1 / Double(tokens)
    return Scores(
      cosine: sums.cosine * share,
      angular: sums.angular / Double(sequences),
      l1: sums.l1 * share,
      l2: sums.l2 * share,
      relativeL1: sums.relativeL1 * share,
      relativeL2: sums.relativeL2 * share
    )
  }
}

extension UpdateSums.Scores {
  fileprivate mutating func add(_ other: Self) {
    cosine += other.cosine
    angular += other.angular
    l1 += other.l1
    l2 += other.l2
    relativeL1 += other.relativeL1
    relativeL2 += other.relativeL2
  }
}

/// What a unit does to one token.
private struct TokenUpdate {
  var dot = 0.0
  var squareBefore = 0.0
  var squareAfter = 0.0
  var absoluteBefore = 0.0
  var l1 = 0.0
  var squareUpdate = 0.0

  init(_ before: Span<Float>, _ after: Span<Float>) {
    for index in before.indices {
      let (x, y) = (Double(before[index]), Double(after[index]))
      dot += x * y
      squareBefore += x * x
      squareAfter += y * y
      absoluteBefore += abs(x)
      l1 += abs(y - x)
      squareUpdate += (y - x) * (y - x)
    }
  }

  /// The cosine; exactly 1 where nothing changes.
  private var cosine: Double {
    guard squareUpdate != 0 else { return 1 }
    let product = (squareBefore * squareAfter).squareRoot()
    // A vector of zeros has no direction to keep.
    return product == 0 ? 0 : min(1, max(-1, dot / product))
  }

  func add(to sums: inout UpdateSums.Scores, isLast: Bool) {
    let l2 = squareUpdate.squareRoot()
    sums.cosine += 1 - cosine
    if isLast { sums.angular += Double.acos(cosine) / .pi }
    sums.l1 += l1
    sums.l2 += l2
    guard squareUpdate != 0 else { return }
    sums.relativeL1 += l1 / absoluteBefore
    sums.relativeL2 += l2 / squareBefore.squareRoot()
  }
}
