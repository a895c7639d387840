/// Turns text into token ids as the `tokenizers` library does, and back.
///
/// Text is bytes of UTF-8 throughout; nothing compares `String` or `Character`, for which canonically
/// equal texts are the same.
package struct Tokenizer: Sendable {
  /// The parts that a file describes.
  struct Parts: Sendable {
    var normalizers: [Normalizer] = []
    var preTokenizer: PreTokenizer
    var model: BytePairModel
    var addedTokens: [AddedToken] = []
    var specialTokens = SpecialTokens()
    var decoder: Decoder?
    var beginOfText: TokenBytes?
    var endOfText: TokenBytes?
    var unknown: TokenBytes?
    var padding: TokenBytes?
  }

  let normalizers: [Normalizer]
  let preTokenizer: PreTokenizer
  let model: BytePairModel
  let addedTokens: [AddedToken]
  private let specialTokens: SpecialTokens
  private let decoder: Decoder?
  /// The tokens of the model and the added ones.
  let vocabulary: Vocabulary
  private let specialIDs: Set<Int32>
  /// Added tokens that decode to their normalized form.
  private let normalizedForms: [Int32: [UInt8]]
  private let exactFinder: AddedTokenFinder
  private let normalizedFinder: AddedTokenFinder

  /// The id of the token that stands before a text, if the files name one that has an id.
  package let beginOfText: Int32?
  /// The id of the token that stands behind a text, if the files name one that has an id.
  package let endOfText: Int32?
  /// The id of the token for what cannot be spelled, if the files name one that has an id.
  package let unknown: Int32?
  /// The id of the token that fills up short texts, if the files name one that has an id.
  package let padding: Int32?

  /// Joins the parts and checks that they fit.
  init(_ parts: Parts) throws(TokenizationError) {
    var vocabulary = parts.model.vocabulary
    var exact: [(pattern: [UInt8], token: AddedToken)] = []
    var normalized: [(pattern: [UInt8], token: AddedToken)] = []
    for token in parts.addedTokens {
      try vocabulary.add(token.content, id: Int(token.id))
      if token.isNormalized {
        let pattern = try Self.normalize(token.content.utf8, with: parts.normalizers)
        normalized.append((pattern, token))
      } else {
        exact.append((token.content.utf8, token))
      }
    }
    normalizers = parts.normalizers
    preTokenizer = parts.preTokenizer
    model = parts.model
    addedTokens = parts.addedTokens
    specialTokens = parts.specialTokens
    decoder = parts.decoder
    specialIDs = Set(parts.addedTokens.filter(\.isSpecial).map(\.id))
    exactFinder = try AddedTokenFinder(exact)
    normalizedFinder = try AddedTokenFinder(normalized)
    normalizedForms = Dictionary(normalized.map { ($0.token.id, $0.pattern) }) { first, _ in first }
    beginOfText = parts.beginOfText.flatMap { vocabulary[$0] }
    endOfText = parts.endOfText.flatMap { vocabulary[$0] }
    unknown = parts.model.symbols.unknown?.id ?? parts.unknown.flatMap { vocabulary[$0] }
    padding = parts.padding.flatMap { vocabulary[$0] }
    self.vocabulary = vocabulary
  }

  private static func normalize(
    _ text: [UInt8],
    with normalizers: [Normalizer]
  ) throws(TokenizationError) -> [UInt8] {
    var text = text
    for normalizer in normalizers { text = try normalizer.apply(to: text) }
    return text
  }

  /// The largest id and one: the rows that an embedding needs at least.
  package var vocabularySize: Int { vocabulary.count }

  /// The ids that a text gets before it.
  package var prefix: [Int32] { specialTokens.prefix }

  /// The ids that a text gets behind it.
  package var suffix: [Int32] { specialTokens.suffix }

  /// The id of a token as the vocabulary writes it; byte-level vocabularies write "Ġ" for a space.
  package func id(of token: String) -> Int32? { vocabulary[TokenBytes(token)] }

  /// The token of an id as the vocabulary writes it.
  package func token(of id: Int32) -> TokenBytes? { vocabulary[id] }

  /// The ids of a text.
  ///
  /// As in the `tokenizers` library, added tokens that stand in the text become their ids, and what
  /// the vocabulary can neither spell nor mark as unknown is left out.
  ///
  /// - Parameters:
  ///   - text: UTF-8, up to 2³¹ − 1 bytes.
  ///   - addSpecialTokens: Whether to put ``prefix`` and ``suffix`` around it.
  /// - Returns: The ids; time and memory grow with the text, at worst by `n log n`.
  /// - Throws: ``TokenizationError/invalidUTF8(offset:)`` or ``TokenizationError/textTooLong(bytes:)``.
  package func encode(
    _ text: Span<UInt8>,
    addSpecialTokens: Bool = true
  ) throws(TokenizationError) -> [Int32] {
    guard text.count <= Int32.max else { throw .textTooLong(bytes: text.count) }
    try text.validateUTF8()
    var run = EncodingRun()
    if addSpecialTokens { run.tokens += specialTokens.prefix }
    for part in exactFinder.parts(of: text) {
      switch part {
      case .token(let id): run.tokens.append(id)
      case .text(let range):
        try encodePart(text.extracting(range), isFirst: range.lowerBound == 0, into: &run)
      }
    }
    if addSpecialTokens { run.tokens += specialTokens.suffix }
    return run.tokens
  }

  /// The ids of a text, as for a span.
  package func encode(
    _ text: [UInt8],
    addSpecialTokens: Bool = true
  ) throws(TokenizationError) -> [Int32] {
    try encode(text.span, addSpecialTokens: addSpecialTokens)
  }

  /// Encodes a part without exact added tokens.
  private func encodePart(
    _ text: Span<UInt8>,
    isFirst: Bool,
    into run: inout EncodingRun
  ) throws(TokenizationError) {
    guard !normalizers.isEmpty else {
      return try encodeNormalized(text, isFirst: isFirst, into: &run)
    }
    let normalized = try Self.normalize(text.copied(), with: normalizers)
    guard normalized.count <= Int32.max else { throw .textTooLong(bytes: normalized.count) }
    try encodeNormalized(normalized.span, isFirst: isFirst, into: &run)
  }

  private func encodeNormalized(
    _ text: Span<UInt8>,
    isFirst: Bool,
    into run: inout EncodingRun
  ) throws(TokenizationError) {
    for part in normalizedFinder.parts(of: text) {
      switch part {
      case .token(let id): run.tokens.append(id)
      case .text(let range):
        let piece = text.extracting(range)
        let beginsText = isFirst && range.lowerBound == 0
        try preTokenizer.encode(piece, isFirst: beginsText, with: model, into: &run)
      }
    }
  }

  /// The bytes of the text that ids stand for.
  ///
  /// - Parameters:
  ///   - ids: Ids of this tokenizer.
  ///   - skipsSpecialTokens: Whether to leave marks such as the begin of text out.
  /// - Returns: The text; not valid UTF-8 if the ids begin or end within a scalar.
  /// - Throws: ``TokenizationError/unknownID(_:)`` or ``TokenizationError/noDecoder``.
  package func decode(
    _ ids: [Int32],
    skipsSpecialTokens: Bool = false
  ) throws(TokenizationError) -> [UInt8] {
    guard let decoder else { throw .noDecoder }
    var tokens: [[UInt8]] = []
    for id in ids where !(skipsSpecialTokens && specialIDs.contains(id)) {
      guard let token = vocabulary[id] else { throw .unknownID(id) }
      tokens.append(normalizedForms[id] ?? token.utf8)
    }
    return try decoder.decode(tokens)
  }
}
