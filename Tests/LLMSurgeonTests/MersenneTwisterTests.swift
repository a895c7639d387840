import Testing

@testable import LLMSurgeon

/// Against `random.seed(seed); random.sample(range(bound), count)` of CPython 3.
@Suite("Agreement with Python's random numbers")
struct MersenneTwisterTests {
  struct Drawing: Sendable, CustomTestStringConvertible {
    let seed: UInt64
    let bound: Int
    let numbers: [Int]

    init(_ seed: UInt64, below bound: Int, _ numbers: [Int]) {
      self.seed = seed
      self.bound = bound
      self.numbers = numbers
    }

    var testDescription: String { "\(numbers.count) below \(bound), seed \(seed)" }
  }

  static let drawings = [
    Drawing(100, below: 1_000_000, [152745, 481850, 477025, 997948, 808225]),
    Drawing(100, below: 20, [4, 14, 18, 5, 12, 11, 16]),
    Drawing(7, below: 100, [41, 19, 50, 83, 6, 9, 68, 12, 46, 74]),
    // Seeds of one word and of two, and the largest.
    Drawing(4_294_967_296, below: 50, [7, 22, 26, 1]),
    Drawing(
      1_234_567_890_123_456_789,
      below: 1_000_000_000,
      [917_081_912, 195_975_584, 633_492_806, 819_142_628, 70_812_011, 747_969_885]
    ),
    Drawing(.max, below: 1000, [22, 254, 346, 633, 217, 467]),
    // All there are.
    Drawing(0, below: 10, [6, 9, 0, 2, 4, 3, 5, 1, 8, 7]),
    // Up to 277 Python draws 22 from a list, above into a set: the orders differ.
    Drawing(
      9,
      below: 277,
      [
        237, 191, 136, 70, 95, 3, 173, 257, 276, 41, 171, 20, 194, 86, 231, 216, 80, 263, 121, 26,
        56, 67,
      ]
    ),
    Drawing(
      9,
      below: 278,
      [
        237, 191, 136, 70, 95, 3, 173, 257, 41, 171, 20, 194, 86, 231, 216, 80, 121, 26, 56, 67,
        259, 32,
      ]
    ),
  ]

  @Test("the same seed draws the same sample", arguments: drawings)
  func sample(drawing: Drawing) {
    var generator = MersenneTwister(seed: drawing.seed)
    #expect(generator.sample(drawing.numbers.count, below: drawing.bound) == drawing.numbers)
  }

  @Test("the same seed gives the same fractions")
  func uniform() {
    let fractions: [(UInt64, [Double])] = [
      (0, [0.8444218515250481, 0.7579544029403025, 0.420571580830845, 0.25891675029296335]),
      (100, [0.1456692551041303, 0.45492700451402135, 0.7707838056590222, 0.705513226934028]),
      (.max, [0.021825695401270107, 0.3380953268613758, 0.21196748656082065, 0.6151259995625727]),
    ]
    for (seed, expected) in fractions {
      var generator = MersenneTwister(seed: seed)
      #expect(expected.map { _ in generator.uniform() } == expected)
    }
  }

  @Test("drawing nothing gives nothing")
  func nothing() {
    var generator = MersenneTwister(seed: 1)
    #expect(generator.sample(0, below: 5).isEmpty)
  }
}
