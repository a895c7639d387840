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
  private var moments: [SecondMoment] = []

  /// Adds one batch; every batch has the same moments in the same order.
  mutating func add(_ batch: [Samples]) {
    if moments.isEmpty {
      names = batch.map(\.name)
      moments = batch.map { SecondMoment(width: $0.width, appendsOne: $0.appendsOne) }
    }
    SecondMoment.add(batch.map(\.pieces), to: &moments)
  }

  /// Makes something of each mean of `x xᵀ`, several at a time.
  ///
  /// - Parameter transform: Is given one mean; shape `[width (+1), width (+1)]`.
  /// - Returns: The results in the order of a batch.
  /// - Throws: ``JobError/notFinite(_:)`` naming the first mean that is no number, or
  ///   `CurvatureError` if nothing was added.
  func means<Value: Sendable>(
    _ transform: @Sendable (Matrix<Float>) -> Value
  ) throws -> [(name: String, value: Value)] {
    let values = concurrentMap(count: moments.count) { index -> Result<Value, any Error> in
      Result {
        let mean = try moments[index].mean()
        guard mean.isFinite else { throw JobError.notFinite("the second moment \(names[index])") }
        return transform(mean)
      }
    }
    return try names.indices.map { (names[$0], try values[$0].get()) }
  }
}
