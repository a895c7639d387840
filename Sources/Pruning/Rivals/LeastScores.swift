import LinearAlgebra

/// Scores of weights, from which those with the least are removed; ties go by row and column.
///
/// What an earlier pruning removed has the score zero and all else more: it goes first, and goes in
/// any case.
struct WeightScores: Sendable {
  /// Shape of the weights; not negative.
  private(set) var scores: Matrix<Float>

  /// Takes scores.
  ///
  /// - Parameters:
  ///   - scores: Not negative and not NaN.
  ///   - initial: One where a weight may be kept, zero where it is removed already.
  init(_ scores: Matrix<Float>, initial: Matrix<Float>) {
    self.scores = scores
    forEachPiece(of: &self.scores) { start, entries in
      let initial = initial.elements
      for index in entries.indices {
        entries[index] =
          initial[start + index] == 0 ? 0 : max(entries[index], .leastNonzeroMagnitude)
      }
    }
  }

  /// The support without the `count` weights of least score in the whole matrix.
  ///
  /// - Returns: One where a weight is kept, zero where it is removed.
  func withoutLeast(_ count: Int) -> Matrix<Float> {
    let size = 1 << 16
    let total = scores.storage.count
    let pieces = ScoreRanges(scores: scores, range: 0..<total, size: size)
    var support = Matrix<Float>(rows: scores.rows, columns: scores.columns, repeating: 1)
    let limit = count > 0 ? threshold(removing: count, of: pieces) : .nothing(of: pieces.layers)
    concurrentChunks(of: &support.storage, size: size) { piece, entries in
      pieces.remove(below: limit, piece, from: &entries)
    }
    return support
  }

  /// The support without the `counts[r]` weights of least score in each row `r`.
  ///
  /// - Returns: One where a weight is kept, zero where it is removed.
  func withoutLeast(perRow counts: [Int]) -> Matrix<Float> {
    let width = scores.columns
    var support = Matrix<Float>(rows: scores.rows, columns: width, repeating: 1)
    guard width > 0 else { return support }
    concurrentChunks(of: &support.storage, size: width) { row, entries in
      let part = ScoreRanges(
        scores: scores,
        range: row * width..<(row + 1) * width,
        size: width
      )
      let limit = counts[row] > 0 ? threshold(removing: counts[row], of: part) : .nothing(of: 1)
      part.remove(below: limit, 0, from: &entries)
    }
    return support
  }

  /// The support that keeps the `kept` weights of largest score in each group of a row.
  ///
  /// - Returns: One where a weight is kept, zero where it is removed.
  func keeping(_ kept: Int, of size: Int) -> Matrix<Float> {
    let width = scores.columns
    var support = Matrix<Float>(rows: scores.rows, columns: width, repeating: 1)
    guard width > 0 else { return support }
    concurrentChunks(of: &support.storage, size: width) { row, entries in
      let scores = scores.elements.extracting(row * width..<(row + 1) * width)
      for start in stride(from: 0, to: width, by: size) {
        removeLeast(size - kept, from: &entries, at: start..<start + size) { scores[$0] }
      }
      for column in entries.indices where scores[column] == 0 { entries[column] = 0 }
    }
    return support
  }
}

/// Sets the entries of the `count` least scores within a few places to zero; ties by place.
///
/// - Parameters:
///   - count: How many, at most the number of places.
///   - entries: All ones within the places.
///   - places: The places that compete.
///   - score: The score at a place; not NaN.
func removeLeast(
  _ count: Int,
  from entries: inout MutableSpan<Float>,
  at places: Range<Int>,
  score: (Int) -> Float
) {
  for _ in 0..<count {
    var best = -1
    for place in places where entries[place] != 0 && (best < 0 || score(place) < score(best)) {
      best = place
    }
    if best >= 0 { entries[best] = 0 }
  }
}

/// How many of some consecutive things a share of them is, rounded so that parts add up to the whole.
func count(of share: Double, _ range: Range<Int>) -> Int {
  func rounded(_ count: Int) -> Int { Int((share * Double(count)).rounded()) }
  return rounded(range.upperBound) - rounded(range.lowerBound)
}

/// A part of the scores, cut into ranges that each have a quota.
private struct ScoreRanges: CostSource {
  let scores: Matrix<Float>
  /// What is looked at.
  let range: Range<Int>
  /// The scores of one range.
  let size: Int

  var layers: Int { (range.count + size - 1) / size }
  func pieces(of layer: Int) -> Int { 1 }

  func piece(_ index: Int, of layer: Int) -> PricedPiece {
    let first = range.lowerBound + layer * size
    let part = scores.storage[first..<min(range.upperBound, first + size)]
    return PricedPiece(first: layer * size, costs: Array(part))
  }

  /// Sets to zero what is below a threshold, and what is removed already.
  ///
  /// - Parameters:
  ///   - limit: The threshold; nil removes everything.
  ///   - layer: Which of the ranges.
  ///   - entries: The support of this range.
  func remove(below limit: CostThreshold?, _ layer: Int, from entries: inout MutableSpan<Float>) {
    let part = piece(0, of: layer)
    var quota = limit?.quotas[layer] ?? .max
    part.forEachChosen(below: limit?.cost ?? .infinity, quota: &quota) { entries[$0] = 0 }
    for index in part.costs.indices where part.costs[index] == 0 { entries[index] = 0 }
  }
}

extension CostThreshold {
  /// The threshold that removes nothing from some parts.
  fileprivate static func nothing(of parts: Int) -> CostThreshold {
    CostThreshold(cost: 0, quotas: [Int](repeating: 0, count: parts))
  }
}
