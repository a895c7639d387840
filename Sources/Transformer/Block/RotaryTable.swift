import RealModule

/// The cosines and sines by which queries and keys are rotated.
struct RotaryTable: Sendable {
  /// Half the width of a head: channel `c` is rotated with channel `c + half`.
  let half: Int
  /// `cos` of position times frequency, shape `[positions, half]`.
  let cosines: [Float]
  /// `sin` of the same.
  let sines: [Float]

  /// Tabulates the angles of a number of positions, from 0 on.
  init(base: Double, scaling: RotaryScaling, headSize: Int, length: Int) {
    let half = headSize / 2
    let frequencies = (0..<half).map { channel in
      scaling.apply(to: Double.pow(base, -2 * Double(channel) / Double(headSize)))
    }
    var cosines: [Float] = []
    var sines: [Float] = []
    cosines.reserveCapacity(length * half)
    sines.reserveCapacity(length * half)
    for position in 0..<length {
      for frequency in frequencies {
        let angle = Double(position) * frequency
        cosines.append(Float(Double.cos(angle)))
        sines.append(Float(Double.sin(angle)))
      }
    }
    self.half = half
    self.cosines = cosines
    self.sines = sines
  }

  /// The table of a model, where its positions are rotary.
  init?(_ decoder: DecoderDescription, length: Int) {
    guard case .rotary(let base, let scaling) = decoder.position else { return nil }
    self.init(base: base, scaling: scaling, headSize: decoder.headSize, length: length)
  }

  /// Rotates one head's vector in place, by its position's angles or back by them.
  ///
  /// - Parameters:
  ///   - vector: Holds the vector from `start` on.
  ///   - start: Where the vector starts.
  ///   - position: The position in the sequence.
  ///   - isInverse: Whether to rotate back, as gradients are.
  func rotate(
    _ vector: inout MutableSpan<Float>,
    from start: Int,
    position: Int,
    isInverse: Bool
  ) {
    let cosines = cosines.span.extracting(position * half..<(position + 1) * half)
    let sines = sines.span.extracting(position * half..<(position + 1) * half)
    precondition(start >= 0 && start + 2 * half <= vector.count, "the vector lies within")
    let sign: Float = isInverse ? -1 : 1
    // SAFETY: the precondition covers both halves; the tables hold `half` numbers a position.
    for channel in 0..<half {
      let (c, s) = unsafe (cosines[unchecked: channel], sign * sines[unchecked: channel])
      let first = unsafe vector[unchecked: start + channel]
      let second = unsafe vector[unchecked: start + half + channel]
      unsafe vector[unchecked: start + channel] = first * c - second * s
      unsafe vector[unchecked: start + half + channel] = second * c + first * s
    }
  }
}

extension RotaryScaling {
  /// What the frequency of each pair of channels is divided by.
  ///
  /// - Parameters:
  ///   - base: The base of the unscaled frequencies.
  ///   - headSize: The width of a head.
  /// - Returns: The divisors, shape `[headSize / 2]`.
  package func divisors(base: Double, headSize: Int) -> [Float] {
    (0..<headSize / 2).map { pair in
      let frequency = Double.pow(base, -2 * Double(pair) / Double(headSize))
      return Float(frequency / apply(to: frequency))
    }
  }

  /// The frequency that takes the place of one of the original frequencies, in radians a token.
  func apply(to frequency: Double) -> Double {
    switch self {
    case .none: return frequency
    case .linear(let factor): return frequency / factor
    case .llama3(let factor, let low, let high, let originalLength):
      // How often the wave repeats in the original context.
      let turns = Double(originalLength) * frequency / (2 * .pi)
      if turns < low { return frequency / factor }
      if turns > high { return frequency }
      let share = (turns - low) / (high - low)
      return (1 - share) * frequency / factor + share * frequency
    }
  }
}
