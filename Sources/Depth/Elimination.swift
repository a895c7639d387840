/// In which order units go, from their scores.
package enum Elimination {
  /// All units, the one with the lowest score first; ties by number.
  ///
  /// - Parameter scores: A score for each unit.
  /// - Returns: The numbers of the units.
  /// - Throws: ``DepthError/scoreNotFinite(unit:)``.
  package static func order(_ scores: [Double]) throws(DepthError) -> [Int] {
    if let unit = scores.firstIndex(where: { !$0.isFinite }) { throw .scoreNotFinite(unit: unit) }
    return scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
  }

  /// Removes one unit at a time, the one with the lowest score, and scores the others anew.
  ///
  /// - Parameters:
  ///   - count: How many go at most.
  ///   - candidates: The units that may go.
  ///   - score: Scores the units that are left, given them and those that are gone in their order.
  /// - Returns: The units in the order in which they go.
  /// - Throws: ``DepthError/scoreNotFinite(unit:)`` or what `score` throws.
  package static func stepwise(
    _ count: Int,
    of candidates: [Int],
    score: (_ left: [Int], _ gone: [Int]) throws -> [Double]
  ) throws -> [Int] {
    var (left, gone) = (candidates, [Int]())
    while gone.count < count, !left.isEmpty {
      let scores = try score(left, gone)
      precondition(scores.count == left.count, "a score for each unit that is left")
      if let bad = scores.firstIndex(where: { !$0.isFinite }) {
        throw DepthError.scoreNotFinite(unit: left[bad])
      }
      let order = try order(scores)
      gone.append(left.remove(at: order[0]))
    }
    return gone
  }

  /// The start of the `span` consecutive units with the smallest distance between what enters the
  /// first and what leaves the last.
  ///
  /// - Parameter distances: For each start the distance.
  /// - Returns: The start; nil where there is none to choose.
  /// - Throws: ``DepthError/scoreNotFinite(unit:)``.
  package static func start(of distances: [Double]) throws(DepthError) -> Int? {
    try order(distances).first
  }
}
