/// Turns tokens back into bytes, step by step.
struct Decoder: Equatable, Sendable {
  /// One step; each takes and leaves a list of byte strings.
  enum Step: Equatable, Sendable {
    /// Reads each token in the ``ByteAlphabet`` and joins all.
    case byteLevel
    /// Reads runs of the tokens `<0x00>` to `<0xFF>` as bytes.
    case byteFallback
    /// Joins all.
    case fuse
    /// Replaces a pattern in each.
    case replace(pattern: [UInt8], content: [UInt8])
    /// Takes up to so many copies of a scalar off the ends of each.
    case strip(content: [UInt8], start: Int, stop: Int)
    /// Writes a separator as a space, or drops it in the first token.
    case separator([UInt8], dropsFirst: Bool)
  }

  /// The steps, in order.
  let steps: [Step]

  /// The bytes of a text; not valid UTF-8 if the tokens end within a scalar.
  func decode(_ tokens: [[UInt8]]) throws(TokenizationError) -> [UInt8] {
    var parts = tokens
    for step in steps { parts = try Self.apply(step, to: parts) }
    return Array(parts.joined())
  }

  private static func apply(
    _ step: Step,
    to parts: [[UInt8]]
  ) throws(TokenizationError) -> [[UInt8]] {
    switch step {
    case .byteLevel:
      return [parts.flatMap { ByteAlphabet.bytes(spelledBy: TokenBytes(utf8: $0)) ?? $0 }]
    case .byteFallback: return readByteTokens(parts)
    case .fuse: return [Array(parts.joined())]
    case .replace(let pattern, let content):
      let replacement = Normalizer.replace(pattern: pattern, content: content)
      return try parts.map { (part) throws(TokenizationError) in try replacement.apply(to: part) }
    case .strip(let content, let start, let stop):
      return parts.map { strip(content, upTo: start, and: stop, from: $0) }
    case .separator(let separator, let dropsFirst):
      var result: [[UInt8]] = []
      for (index, part) in parts.enumerated() {
        let space = index == 0 && dropsFirst ? [] : [UInt8(ascii: " ")]
        result.append(try Normalizer.replace(pattern: separator, content: space).apply(to: part))
      }
      return result
    }
  }

  private static func readByteTokens(_ parts: [[UInt8]]) -> [[UInt8]] {
    var result: [[UInt8]] = []
    var continues = false
    for part in parts {
      if let byte = byte(of: part) {
        if continues { result[result.count - 1].append(byte) } else { result.append([byte]) }
        continues = true
      } else {
        result.append(part)
        continues = false
      }
    }
    return result
  }

  /// The byte of a token like `<0x0A>`.
  private static func byte(of token: [UInt8]) -> UInt8? {
    guard token.count == 6, token.starts(with: "<0x".utf8), token[5] == UInt8(ascii: ">") else {
      return nil
    }
    return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
  }

  private static func strip(
    _ content: [UInt8],
    upTo start: Int,
    and stop: Int,
    from part: [UInt8]
  ) -> [UInt8] {
    var rest = part[...]
    for _ in 0..<start {
      guard rest.starts(with: content) else { break }
      rest = rest.dropFirst(content.count)
    }
    for _ in 0..<stop {
      guard rest.suffix(content.count).elementsEqual(content) else { break }
      rest = rest.dropLast(content.count)
    }
    return Array(rest)
  }
}
