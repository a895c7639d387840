import LinearAlgebra

/// Uniform random numbers that are a function of a seed, a name and a place, in any order of calls.
struct SeededNumbers {
  private let key: UInt64

  /// The numbers of one name.
  init(seed: UInt64, name: String) {
    key = name.utf8.reduce(scatteredBits(of: seed)) { scatteredBits(of: $0 ^ UInt64($1)) }
  }

  /// A number from −1 up to 1, with 24 random bits.
  func uniform(_ place: Int) -> Float {
    Float(scatteredBits(of: key ^ UInt64(place)) >> 40) / Float(1 << 23) - 1
  }
}
