import LinearAlgebra

/// Which token each position is said to have been followed by, when the gradient is taken.
package enum LabelSource: Equatable, Sendable {
  /// The token that follows in the text: the empirical Fisher matrix.
  case text
  /// A token drawn from the model's own distribution: the true Fisher matrix.
  ///
  /// The draw depends on the seed, the number of the sequence and the position alone.
  case model(seed: UInt64)
}

/// Uniform random numbers that are a function of a seed and a place, in any order of calls.
struct PlaceGenerator {
  let seed: UInt64

  /// A number from 0 up to 1, with 53 random bits.
  func uniform(sequence: Int, position: Int) -> Double {
    let place = scatteredBits(of: scatteredBits(of: seed) ^ UInt64(sequence)) ^ UInt64(position)
    return Double(scatteredBits(of: place) >> 11) / Double(1 << 53)
  }
}

/// Draws an index with a probability proportional to its share.
///
/// - Parameters:
///   - shares: Not negative, in the places `range`.
///   - range: Where the shares stand.
///   - bound: A uniform random number times the sum of the shares.
/// - Returns: The first index from the range's start at which the running sum exceeds `bound`; the
///   last one with a share in it if rounding leaves none.
func drawIndex(
  _ shares: borrowing MutableSpan<Float>,
  _ range: Range<Int>,
  below bound: Double
) -> Int {
  var sum = 0.0
  var last = 0
  for index in range where shares[index] > 0 {
    sum += Double(shares[index])
    last = index - range.lowerBound
    if sum > bound { break }
  }
  return last
}
