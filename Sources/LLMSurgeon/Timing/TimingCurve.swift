/// Times at some widths, in seconds, and what they say of the widths between.
struct TimingCurve: Sendable, Equatable {
  /// A measurement.
  struct Point: Sendable, Equatable {
    /// The number of heads or neurons, at least 1.
    let width: Int
    /// The time, in seconds, not negative.
    let seconds: Double
  }

  /// The measurements, by rising width.
  let points: [Point]
  /// A time for each point, none less than the one before.
  private let rising: [Double]

  /// Takes measurements.
  ///
  /// - Parameter points: At least one, by rising width.
  init(_ points: [Point]) {
    precondition(!points.isEmpty, "there is a time")
    self.points = points
    rising = risingMeans(points.map(\.seconds))
  }

  /// The largest width with a time.
  var widest: Int { points[points.count - 1].width }

  /// The time at a width up to the widest: linear between the points; below the first, its own, so
  /// that nothing counts as faster than what was measured.
  ///
  /// It never rises when the width falls.
  func seconds(at width: Int) -> Double {
    guard let right = points.firstIndex(where: { $0.width >= width }) else {
      return rising[rising.count - 1]
    }
    guard right > 0 else { return rising[0] }
    let (low, high) = (points[right - 1].width, points[right].width)
    let share = Double(width - low) / Double(high - low)
    // Rounding must not lead beyond the ends.
    let between = rising[right - 1] + (rising[right] - rising[right - 1]) * share
    return min(rising[right], max(rising[right - 1], between))
  }
}

/// The sequence without a fall that is nearest in squares: runs that fall are replaced by their mean.
///
/// This is isotonic regression by pooling adjacent violators (Ayer et al. 1955).
private func risingMeans(_ values: [Double]) -> [Double] {
  var pools: [(mean: Double, count: Int)] = []
  for value in values {
    var pool = (mean: value, count: 1)
    while let last = pools.last, last.mean > pool.mean {
      pools.removeLast()
      let count = last.count + pool.count
      let sum = last.mean * Double(last.count) + pool.mean * Double(pool.count)
      pool = (sum / Double(count), count)
    }
    pools.append(pool)
  }
  return pools.flatMap { [Double](repeating: $0.mean, count: $0.count) }
}
