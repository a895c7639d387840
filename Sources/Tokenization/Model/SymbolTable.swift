/// The symbols that a word is spelled with before any merge.
struct SymbolTable: Sendable {
  /// What one symbol stands for.
  enum Unit: Sendable {
    /// One byte, written in the ``ByteAlphabet``.
    case byte
    /// One Unicode scalar, written as it is.
    case scalar
  }

  /// What stands for a scalar that is not in the vocabulary.
  struct Unknown: Sendable {
    /// The token `<unk>` or the like.
    let id: Int32
    /// Whether neighboring unknown scalars become one token.
    let isFused: Bool
  }

  /// The place of a missing symbol.
  static let none: Int32 = -1

  let unit: Unit
  /// The ids of bytes, or of ASCII scalars, or ``none``.
  private let direct: [Int32]
  /// The ids of scalars outside ASCII.
  private let scalars: [UInt32: Int32]
  /// The ids of the tokens `<0x00>` to `<0xFF>`, or ``none``; empty without byte fallback.
  let fallback: [Int32]
  let unknown: Unknown?

  /// Looks up the symbols of a vocabulary.
  init(unit: Unit, hasByteFallback: Bool, unknown: Unknown?, vocabulary: Vocabulary) {
    self.unit = unit
    self.unknown = unknown
    switch unit {
    case .byte:
      direct = ByteAlphabet.scalars.map { vocabulary[TokenBytes(String($0))] ?? Self.none }
      scalars = [:]
    case .scalar:
      direct = (UInt8(0)..<128).map { vocabulary[TokenBytes(utf8: [$0])] ?? Self.none }
      var scalars: [UInt32: Int32] = [:]
      for (token, id) in vocabulary.entries {
        let content = token.string.unicodeScalars
        if let scalar = content.first, content.count == 1 { scalars[scalar.value] = id }
      }
      self.scalars = scalars
    }
    fallback = hasByteFallback ? Self.byteTokens.map { vocabulary[$0] ?? Self.none } : []
  }

  /// `<0x00>` to `<0xFF>`.
  private static var byteTokens: [TokenBytes] {
    (0..<256).map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return TokenBytes("<0x" + (digits.count < 2 ? "0" : "") + digits + ">")
    }
  }

  /// The id of a scalar that has a token of its own, or ``none``.
  @inline(__always)
  func id(ofScalar scalar: UInt32) -> Int32 {
    scalar < 0x80 ? direct[Int(scalar)] : scalars[scalar] ?? Self.none
  }

  /// Appends the symbols of a piece of text.
  ///
  /// As in the `tokenizers` library, what has neither a token, nor tokens for its bytes, nor an
  /// unknown token to stand for it, is left out; and an unknown token waits for the next scalar
  /// with a token of its own.
  func append(_ text: Span<UInt8>, to symbols: inout [Int32]) {
    var waiting: Int32?
    var index = 0
    while index < text.count {
      let (id, width) = symbol(in: text, at: index)
      if id != Self.none {
        if let token = waiting { symbols.append(token) }
        waiting = nil
        symbols.append(id)
      } else if !appendBytes(text, index..<index + width, to: &symbols), let unknown {
        if let token = waiting, !unknown.isFused { symbols.append(token) }
        waiting = unknown.id
      }
      index += width
    }
    if let token = waiting { symbols.append(token) }
  }

  @inline(__always)
  private func symbol(in text: Span<UInt8>, at index: Int) -> (id: Int32, width: Int) {
    switch unit {
    case .byte: return (direct[Int(text[index])], 1)
    case .scalar:
      let (scalar, width) = text.scalar(at: index)
      return (id(ofScalar: scalar), width)
    }
  }

  /// Appends the byte tokens of a scalar; false, and nothing, if one is missing.
  private func appendBytes(
    _ text: Span<UInt8>,
    _ bytes: Range<Int>,
    to symbols: inout [Int32]
  ) -> Bool {
    guard !fallback.isEmpty else { return false }
    for index in bytes where fallback[Int(text[index])] == Self.none { return false }
    for index in bytes { symbols.append(fallback[Int(text[index])]) }
    return true
  }
}
