/// The generator MT19937 (Matsumoto and Nishimura, 1998), seeded as Python's `random.seed(int)`.
///
/// Research scripts draw their calibration windows with Python's generator; the same seed here
/// draws the same windows.
struct MersenneTwister {
  private static let size = 624
  private var state: [UInt32]
  private var position = MersenneTwister.size

  /// Seeds the generator.
  ///
  /// - Parameter seed: Not negative; `random.seed(seed)` in Python gives the same sequence.
  init(seed: UInt64) {
    let key = [UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)]
    self.init(key: key[1] == 0 ? [key[0]] : key)
  }

  /// Seeds the generator by an array, as in `init_by_array` of the reference implementation.
  private init(key: [UInt32]) {
    var state = [UInt32](repeating: 0, count: Self.size)
    state[0] = 19_650_218
    for index in 1..<Self.size {
      let previous = state[index - 1]
      state[index] = 1_812_433_253 &* (previous ^ previous >> 30) &+ UInt32(index)
    }
    var index = 1
    func mixed(_ multiplier: UInt32) -> UInt32 {
      state[index] ^ (state[index - 1] ^ state[index - 1] >> 30) &* multiplier
    }
    func advance() {
      index += 1
      guard index == Self.size else { return }
      state[0] = state[Self.size - 1]
      index = 1
    }
    for step in 0..<max(Self.size, key.count) {
      let word = step % key.count
      state[index] = mixed(1_664_525) &+ key[word] &+ UInt32(word)
      advance()
    }
    for _ in 1..<Self.size {
      state[index] = mixed(1_566_083_941) &- UInt32(index)
      advance()
    }
    state[0] = 0x8000_0000
    self.state = state
  }

  /// The next 32 random bits.
  mutating func next() -> UInt32 {
    if position == Self.size { refill() }
    var word = state[position]
    position += 1
    word ^= word >> 11
    word ^= word << 7 & 0x9D2C_5680
    word ^= word << 15 & 0xEFC6_0000
    return word ^ word >> 18
  }

  /// The next number from 0 up to 1, with 53 random bits; as Python's `random.random()`.
  mutating func uniform() -> Double {
    let (high, low) = (Double(next() >> 5), Double(next() >> 6))
    return (high * Double(1 << 26) + low) / Double(1 << 53)
  }

  private mutating func refill() {
    for index in 0..<Self.size {
      let next = state[(index + 1) % Self.size]
      let joined = state[index] & 0x8000_0000 | next & 0x7FFF_FFFF
      let shifted = joined >> 1 ^ (joined & 1 == 0 ? 0 : 0x9908_B0DF)
      state[index] = state[(index + 397) % Self.size] ^ shifted
    }
    position = 0
  }

  /// A number below `bound`, each equally likely; consumes bits as Python's `_randbelow`.
  private mutating func below(_ bound: Int) -> Int {
    let bits = Int.bitWidth - bound.leadingZeroBitCount
    precondition(bound > 0 && bits <= 32, "a bound of 1 up to 2³² − 1")
    while true {
      let candidate = Int(next() >> UInt32(32 - bits))
      if candidate < bound { return candidate }
    }
  }

  /// Draws `count` different numbers below `bound`, in the order of Python's `random.sample`.
  ///
  /// - Parameters:
  ///   - count: How many; no more than `bound`.
  ///   - bound: One above the largest number, below 2³².
  /// - Returns: The numbers, in the order drawn.
  mutating func sample(_ count: Int, below bound: Int) -> [Int] {
    precondition(0...bound ~= count, "no more numbers are drawn than there are")
    var poolLimit = 21
    if count > 5 {
      var power = 1
      while power < count * 3 { power *= 4 }
      poolLimit += power
    }
    guard bound > poolLimit else { return sampleFromPool(count, below: bound) }
    var chosen: Set<Int> = []
    return (0..<count).map { _ in
      while true {
        let candidate = below(bound)
        if chosen.insert(candidate).inserted { return candidate }
      }
    }
  }

  private mutating func sampleFromPool(_ count: Int, below bound: Int) -> [Int] {
    var pool = Array(0..<bound)
    return (0..<count).map { drawn in
      let place = below(bound - drawn)
      defer { pool[place] = pool[bound - drawn - 1] }
      return pool[place]
    }
  }
}
