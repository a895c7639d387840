import LinearAlgebra

/// The mean of means, `Σ (Nᵢ / N) Mᵢ`, entry by entry.
///
/// Sums are double precision and go in the order of the parts: the mean of one part is that part to
/// the bit.
struct WeightedMean {
  /// The entries that a thread adds at a time.
  private static let pieceSize = 1 << 16

  private var sum: [Double]
  private var weight = 0

  /// A mean of nothing yet.
  ///
  /// - Parameter count: The number of entries.
  init(count: Int) { sum = [Double](repeating: 0, count: count) }

  /// Adds a part.
  ///
  /// - Parameters:
  ///   - means: `Mᵢ`.
  ///   - positions: `Nᵢ`, the number of samples that `Mᵢ` is the mean of.
  mutating func add(_ means: [Float], positions: Int) {
    precondition(means.count == sum.count, "parts of one shape")
    weight += positions
    let factor = Double(positions)
    concurrentChunks(of: &sum, size: Self.pieceSize) { number, piece in
      let part = means.span.extracting(droppingFirst: number * Self.pieceSize)
      for index in piece.indices { piece[index] += factor * Double(part[index]) }
    }
  }

  /// The mean, single precision.
  func mean() -> [Float] {
    var means = [Float](repeating: 0, count: sum.count)
    let total = Double(weight)
    concurrentChunks(of: &means, size: Self.pieceSize) { number, piece in
      let part = sum.span.extracting(droppingFirst: number * Self.pieceSize)
      for index in piece.indices { piece[index] = Float(part[index] / total) }
    }
    return means
  }

  /// The mean of the losses of parts; that of one part is its own to the bit.
  ///
  /// - Parameter parts: The mean loss of each part, and the number of its windows.
  /// - Returns: The mean over all windows.
  static func loss(_ parts: [(loss: Double, sequences: Int)]) -> Double {
    var (mean, count) = (0.0, 0)
    for part in parts {
      count += part.sequences
      mean += (part.loss - mean) * (Double(part.sequences) / Double(count))
    }
    return mean
  }
}
