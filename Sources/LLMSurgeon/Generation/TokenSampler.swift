import Foundation

/// Chooses the next token from logits.
struct TokenSampler {
  private let choice: SamplingChoice?
  private var generator: MersenneTwister

  /// A sampler at the start of its random numbers.
  ///
  /// - Parameter choice: How tokens are drawn; nil for the most likely one each time.
  /// - Throws: ``JobError/badSetting(_:)``.
  init(_ choice: SamplingChoice?) throws {
    try choice?.check()
    self.choice = choice
    generator = MersenneTwister(seed: choice?.seed ?? 0)
  }

  /// The next token.
  ///
  /// Of equally likely tokens the lowest counts as the more likely one. One random number is used for
  /// each call that draws.
  ///
  /// - Parameter logits: One finite number for each token, at least one.
  /// - Returns: The token.
  mutating func next(_ logits: [Float]) -> Int {
    guard let choice else { return Self.greatest(logits) }
    let candidates = Self.candidates(logits, sorted: choice.topK != nil || choice.topP != nil)
    let greatest = Double(logits.max() ?? 0)
    var weights = candidates.prefix(choice.topK ?? candidates.count).map { token in
      exp((Double(logits[token]) - greatest) / choice.temperature)
    }
    if let topP = choice.topP { Self.cut(&weights, to: topP) }
    return candidates[Self.draw(weights, generator.uniform())]
  }

  private static func greatest(_ logits: [Float]) -> Int {
    var best = 0
    for token in logits.indices where logits[token] > logits[best] { best = token }
    return best
  }

  /// All tokens; where asked for, the most likely first and equally likely ones ascending.
  private static func candidates(_ logits: [Float], sorted: Bool) -> [Int] {
    guard sorted else { return Array(logits.indices) }
    // One key for both: the logit in an order of unsigned numbers, then the token.
    let keys = logits.enumerated().map { token, logit -> UInt64 in
      let bits = (logit + 0).bitPattern
      let ascending = bits >> 31 == 1 ? ~bits : bits | 1 << 31
      return UInt64(~ascending) << 32 | UInt64(token)
    }
    return keys.sorted().map { Int($0 & 0xFFFF_FFFF) }
  }

  /// Leaves the fewest leading weights that make up a share of the sum.
  private static func cut(_ weights: inout [Double], to share: Double) {
    let bound = share * weights.reduce(0, +)
    var sum = 0.0
    for index in weights.indices {
      sum += weights[index]
      guard sum < bound else {
        weights.removeSubrange((index + 1)...)
        return
      }
    }
  }

  /// Draws an index with a probability proportional to its weight.
  private static func draw(_ weights: [Double], _ uniform: Double) -> Int {
    let bound = uniform * weights.reduce(0, +)
    var sum = 0.0
    var last = 0
    for index in weights.indices where weights[index] > 0 {
      sum += weights[index]
      last = index
      if sum > bound { break }
    }
    return last
  }
}
