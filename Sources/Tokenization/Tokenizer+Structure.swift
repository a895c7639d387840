/// What a tokenizer is made of, in terms that other formats share.
package struct TokenizerStructure: Sendable {
  /// How text becomes the symbols that are merged.
  package enum Scheme: Equatable, Sendable {
    /// Words of a pattern are spelled with bytes.
    case byteLevel(WordPattern)
    /// Spaces become a separator, and the scalars of the whole text are merged; scalars without a
    /// token are spelled with byte tokens.
    case separated(by: [UInt8], SeparatorPrefix, isCut: Bool)
    /// Anything else; with what is special about it.
    case other(String)
  }

  /// Where the separator is put before a text that has none there.
  package enum SeparatorPrefix: Equatable, Sendable {
    /// Nowhere.
    case never
    /// Before each piece between added tokens, also before one that begins with a space.
    case always
    /// Before pieces, or the first one, that do not begin with a separator.
    case whereMissing
  }

  /// A token.
  package struct Token: Equatable, Sendable {
    /// What a token is for.
    package enum Kind: Equatable, Sendable {
      /// A token of the model.
      case ordinary
      /// A byte of a scalar that has no token.
      case byte
      /// An added token that is text.
      case added
      /// An added token that is a mark for the model.
      case special
    }

    /// Its number.
    package let id: Int32
    /// Its bytes as the vocabulary writes it.
    package let text: TokenBytes
    /// What it is for.
    package let kind: Kind
  }

  /// A pair of tokens that merge.
  package struct Merge: Equatable, Sendable {
    package let left: Int32
    package let right: Int32
    package let result: Int32
  }

  /// How text becomes symbols.
  package let scheme: Scheme
  /// Whether text is brought into Unicode normalization form C first.
  package let isComposed: Bool
  /// Whether a word that is a token is taken whole, even if no merges make it.
  package let ignoresMerges: Bool
  /// All tokens, by id.
  package let tokens: [Token]
  /// The merges, the first to merge first.
  package let merges: [Merge]
  /// Added tokens that take white space along, stand alone only, or are looked for in normalized
  /// text where that makes a difference.
  package let conditionalTokens: [TokenBytes]
}

extension Tokenizer {
  /// What this tokenizer is made of.
  package var structure: TokenizerStructure {
    let (scheme, isComposed) = schemeAndComposition
    return TokenizerStructure(
      scheme: scheme,
      isComposed: isComposed,
      ignoresMerges: model.ignoresMerges,
      tokens: tokens,
      merges: model.merges.merges.map {
        TokenizerStructure.Merge(left: $0.left, right: $0.right, result: $0.result)
      },
      conditionalTokens: addedTokens.filter(isConditional).map(\.content)
    )
  }

  private var tokens: [TokenizerStructure.Token] {
    let added = Dictionary(addedTokens.map { ($0.id, $0.isSpecial) }) { first, _ in first }
    let bytes = Set(model.symbols.fallback)
    return vocabulary.entries.map { text, id in
      let kind: TokenizerStructure.Token.Kind =
        if let isSpecial = added[id] { isSpecial ? .special : .added } else {
          bytes.contains(id) ? .byte : .ordinary
        }
      return TokenizerStructure.Token(id: id, text: text, kind: kind)
    }
  }

  private func isConditional(_ token: AddedToken) -> Bool {
    if token.isSingleWord || token.stripsLeft || token.stripsRight { return true }
    guard token.isNormalized else { return false }
    var text = token.content.utf8
    for normalizer in normalizers {
      guard let next = try? normalizer.apply(to: text) else { return true }
      text = next
    }
    return text != token.content.utf8
  }

  private var schemeAndComposition: (TokenizerStructure.Scheme, isComposed: Bool) {
    let others = normalizers.filter { $0 != .composed }
    let isComposed = others.count < normalizers.count
    switch preTokenizer.unit {
    case .byte: return (byteScheme(others), isComposed)
    case .scalar: return (separatedScheme(others), isComposed)
    }
  }

  private func byteScheme(_ normalizers: [Normalizer]) -> TokenizerStructure.Scheme {
    guard normalizers.isEmpty else { return .other("text that is changed before it is cut") }
    guard case .words(let pattern)? = preTokenizer.steps.last, preTokenizer.steps.count == 1 else {
      let isPrefixed = preTokenizer.steps.contains(.spacePrefix)
      return .other(isPrefixed ? "a space put before the text" : "a chain of patterns")
    }
    return .byteLevel(pattern)
  }

  /// The two ways of writing a SentencePiece model: by normalizers, or by a pre-tokenizer.
  private func separatedScheme(_ normalizers: [Normalizer]) -> TokenizerStructure.Scheme {
    guard model.symbols.fallback.count == 256,
      !model.symbols.fallback.contains(SymbolTable.none)
    else { return .other("text without byte tokens for unknown characters") }
    let space = [UInt8(ascii: " ")]
    switch (normalizers.first, normalizers.dropFirst().first, normalizers.count) {
    case (.prepend(let prefix), .replace(space, let separator), 2)
    where prefix == separator && preTokenizer.steps.isEmpty:
      return .separated(by: separator, .always, isCut: false)
    case (.replace(space, let separator), nil, 1) where preTokenizer.steps.isEmpty:
      return .separated(by: separator, .never, isCut: false)
    case (nil, nil, 0):
      return steps
    default: return .other("text that is changed before it is cut")
    }
  }

  private var steps: TokenizerStructure.Scheme {
    let steps = preTokenizer.steps
    guard case .separator(let separator, let prefixing)? = steps.first,
      steps.count == 1 || steps.dropFirst().elementsEqual([.cut(separator)])
    else { return .other("text that is not cut at spaces") }
    return .separated(
      by: separator,
      prefixing == .never ? .never : .whereMissing,
      isCut: steps.count == 2
    )
  }
}
