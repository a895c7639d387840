import LinearAlgebra

/// A layer with more weights than this is computed alone, on all threads; smaller ones side by side,
/// one thread each.
private let largestSharedLayer = 1 << 22
/// The most weights of all layers that are computed side by side.
private let largestBatch = 1 << 24

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
    let all = layers
    for range in layerBatches(indices.map { all[$0].mask.weightCount }) {
      let results = concurrentMap(count: range.count) { place in
        Result { try transform(range.lowerBound + place) }
      }
      for (place, result) in results.enumerated() {
        try receive(range.lowerBound + place, try result.get())
      }
    }
  }
}

/// Which layers are computed side by side: a function of their shapes, never of the machine.
///
/// - Parameter counts: The number of weights of each layer.
/// - Returns: Ranges of layers, in order.
func layerBatches(_ counts: [Int]) -> [Range<Int>] {
  var batches: [Range<Int>] = []
  var first = 0
  while first < counts.count {
    var end = first
    var total = 0
    while end < counts.count {
      total += counts[end]
      if end > first, counts[end] > largestSharedLayer || total > largestBatch { break }
      end += 1
      if counts[end - 1] > largestSharedLayer { break }
    }
    batches.append(first..<end)
    first = end
  }
  return batches
}
