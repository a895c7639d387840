import LinearAlgebra

/// A layer with more weights than this is computed alone, on all threads; smaller ones side by side,
/// one thread each.
private let largestSharedLayer = 1 << 22
/// The most weights of all layers that are computed side by side.
private let largestBatch = 1 << 26

extension LayerStore {
  /// Computes something for each of some layers and hands the results over in order.
  ///
  /// - Parameters:
  ///   - indices: The layers.
  ///   - transform: Called with a place in `indices`, from several threads at once.
  ///   - receive: Called with the same place and the result, place after place.
  /// - Throws: What the two functions throw.
  func forEachLayer<Value: Sendable>(
    _ indices: [Int],
    _ transform: @Sendable (Int) throws -> Value,
    receive: (Int, Value) throws -> Void
  ) throws {
    let weights = layers.map(\.mask.weightCount)
    let counts = indices.map { weights[$0] }
    var next = 0
    while next < counts.count {
      let range = batch(of: counts, from: next)
      let results = concurrentMap(count: range.count) { place in
        Result { try transform(range.lowerBound + place) }
      }
      for (place, result) in results.enumerated() {
        try receive(range.lowerBound + place, try result.get())
      }
      next = range.upperBound
    }
  }

  private func batch(of counts: [Int], from first: Int) -> Range<Int> {
    var end = first
    var total = 0
    while end < counts.count {
      total += counts[end]
      if end > first, counts[end] > largestSharedLayer || total > largestBatch { break }
      end += 1
      if counts[end - 1] > largestSharedLayer { break }
    }
    return first..<end
  }
}
