/// Uniform random numbers that are a function of a seed, a name and a place, in any order of calls.
struct SeededNumbers {
  private let key: UInt64

  /// The numbers of one name.
  init(seed: UInt64, name: String) {
    key = name.utf8.reduce(Self.mix(seed)) { Self.mix($0 ^ UInt64($1)) }
  }

  /// A number from −1 up to 1, with 24 random bits.
  func uniform(_ place: Int) -> Float {
    Float(Self.mix(key ^ UInt64(place)) >> 40) / Float(1 << 23) - 1
  }

  /// The finaliser of SplitMix64 behind one step of its counter: a bijection that scatters bits.
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
