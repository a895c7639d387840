/// Cuts a piece of text into what the model encodes by itself.
struct PreTokenizer: Equatable, Sendable {
  /// When a piece gets the word separator put before it.
  enum Prefixing: Equatable, Sendable {
    case always
    /// Only the piece that begins the text.
    case first
    case never
  }

  /// One step; later steps act on the pieces that earlier ones leave.
  enum Step: Equatable, Sendable {
    /// Cuts into the words of a pattern.
    case words(WordPattern)
    /// Puts a space before a piece that does not begin with one.
    case spacePrefix
    /// Writes spaces as a separator, and may put one before the piece.
    case separator([UInt8], Prefixing)
    /// Cuts before each separator.
    case cut([UInt8])
  }

  /// The steps, in order.
  let steps: [Step]
  /// What the model's symbols stand for.
  let unit: SymbolTable.Unit

  /// Cuts a piece and encodes the parts.
  ///
  /// - Parameters:
  ///   - piece: Valid UTF-8, without added tokens, normalized.
  ///   - isFirst: Whether the piece begins the text.
  ///   - model: Encodes the parts.
  ///   - run: Receives the tokens.
  /// - Throws: ``TokenizationError/textTooLong(bytes:)`` if the text grows beyond reason.
  func encode(
    _ piece: Span<UInt8>,
    isFirst: Bool,
    with model: BytePairModel,
    into run: inout EncodingRun
  ) throws(TokenizationError) {
    try encode(piece, isFirst: isFirst, step: 0, with: model, into: &run)
  }

  private func encode(
    _ piece: Span<UInt8>,
    isFirst: Bool,
    step: Int,
    with model: BytePairModel,
    into run: inout EncodingRun
  ) throws(TokenizationError) {
    guard step < steps.count else { return model.encode(piece, into: &run) }
    switch steps[step] {
    case .words(let pattern):
      var scanner = WordScanner(piece, pattern: pattern)
      var isFirst = isFirst
      while let word = scanner.next() {
        let part = piece.extracting(word)
        try encode(part, isFirst: isFirst, step: step + 1, with: model, into: &run)
        isFirst = false
      }
    case .spacePrefix:
      let space = UInt8(ascii: " ")
      let changed = piece[0] == space ? piece.copied() : [space] + piece.copied()
      try encode(changed.span, isFirst: isFirst, step: step + 1, with: model, into: &run)
    case .separator(let separator, let prefixing):
      let changed = try separated(piece, by: separator, prefixing, isFirst: isFirst)
      try encode(changed.span, isFirst: isFirst, step: step + 1, with: model, into: &run)
    case .cut(let separator):
      var start = 0
      while start < piece.count {
        var end = start + 1
        while end < piece.count, !piece.hasBytes(separator, at: end) { end += 1 }
        let part = piece.extracting(start..<end)
        try encode(part, isFirst: isFirst && start == 0, step: step + 1, with: model, into: &run)
        start = end
      }
    }
  }

  private func separated(
    _ piece: Span<UInt8>,
    by separator: [UInt8],
    _ prefixing: Prefixing,
    isFirst: Bool
  ) throws(TokenizationError) -> [UInt8] {
    let spaces = Normalizer.replace(pattern: [UInt8(ascii: " ")], content: separator)
    let text = try spaces.apply(to: piece.copied())
    let isPrefixed = prefixing == .always || prefixing == .first && isFirst
    return isPrefixed && !text.starts(with: separator) ? separator + text : text
  }
}
