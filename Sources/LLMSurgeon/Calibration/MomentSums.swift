import Curvature
import LinearAlgebra

/// Second moments of what enters and leaves the linear layers of one block, gathered batch by batch.
struct MomentSums {
  /// What one batch adds to one of the moments.
  struct Samples {
    /// What the moment is called.
    let name: String
    /// The number of entries of a sample.
    let width: Int
    /// Whether a 1 is appended to each sample, for a layer with a bias.
    let appendsOne: Bool
    /// The samples in pieces, one a row; shape `[tokens of the piece, width]` each.
    let pieces: [Matrix<Float>]
  }

  private var names: [String] = []
  private var sums: [SecondMoment] = []

  /// Adds one batch; every batch has the same moments in the same order.
  mutating func add(_ batch: [Samples]) {
    if sums.isEmpty {
      names = batch.map(\.name)
      sums = batch.map { SecondMoment(width: $0.width, appendsOne: $0.appendsOne) }
    }
    SecondMoment.add(batch.map(\.pieces), to: &sums)
  }

  /// The sums so far, in the order of a batch.
  var moments: [(name: String, moment: SecondMoment)] { Array(zip(names, sums)) }

  /// Each mean of `x xᵀ` by its name; shape `[width (+1), width (+1)]`.
  ///
  /// - Throws: ``JobError/notFinite(_:)`` naming the first mean that is no number, or
  ///   `CurvatureError` if nothing was added.
  func means() throws -> [String: Matrix<Float>] {
    let means = concurrentMap(count: sums.count) { index -> Result<Matrix<Float>, any Error> in
      Result {
        let mean = try sums[index].mean()
        guard mean.isFinite else { throw JobError.notFinite("the second moment \(names[index])") }
        return mean
      }
    }
    return try Dictionary(
      uniqueKeysWithValues: names.indices.map { (names[$0], try means[$0].get()) }
    )
  }
}
