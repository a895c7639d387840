extension Tokenizer {
  /// Reads the document of `tokenizer.json`.
  init(root: JSONNode, configuration: TokenizerConfiguration) throws(TokenizationError) {
    let preTokenizer = try Components.preTokenizer(root.optional("pre_tokenizer"))
    let model = try ModelFiles.model(root.member("model"), unit: preTokenizer.unit)
    let addedTokens = try SpecialTokenFiles.addedTokens(root.optional("added_tokens"))
    let addedIDs = Set(addedTokens.map { Int($0.id) })
    let specialTokens = try SpecialTokenFiles.tokensAroundText(root.optional("post_processor")) {
      addedIDs.contains($0) || model.vocabulary[Int32(truncatingIfNeeded: $0)] != nil
    }
    let parts = Parts(
      normalizers: try Components.normalizers(root.optional("normalizer")),
      preTokenizer: preTokenizer,
      model: model,
      addedTokens: addedTokens,
      specialTokens: specialTokens,
      decoder: try Components.decoder(root.optional("decoder")),
      beginOfText: configuration.beginOfText,
      endOfText: configuration.endOfText,
      unknown: configuration.unknown,
      padding: configuration.padding
    )
    try self.init(parts)
  }

  /// Makes a byte-level tokenizer of the kind of GPT-2 out of `vocab.json` and `merges.txt`.
  init(
    vocabulary node: JSONNode,
    merges: [(left: TokenBytes, right: TokenBytes)],
    configuration: TokenizerConfiguration
  ) throws(TokenizationError) {
    let vocabulary = try ModelFiles.vocabulary(node)
    let symbols = SymbolTable(
      unit: .byte,
      hasByteFallback: false,
      unknown: nil,
      vocabulary: vocabulary
    )
    let model = BytePairModel(
      vocabulary: vocabulary,
      symbols: symbols,
      merges: try MergeTable(merges, vocabulary: vocabulary),
      ignoresMerges: false
    )
    let words = PreTokenizer.Step.words(.gpt2)
    var parts = Parts(
      preTokenizer: PreTokenizer(
        steps: configuration.addsPrefixSpace ? [.spacePrefix, words] : [words],
        unit: .byte
      ),
      model: model,
      addedTokens: try configuration.allAddedTokens(in: vocabulary),
      decoder: Decoder(steps: [.byteLevel]),
      beginOfText: configuration.beginOfText,
      endOfText: configuration.endOfText,
      unknown: configuration.unknown,
      padding: configuration.padding
    )
    if configuration.addsBeginOfText {
      guard let token = configuration.beginOfText else {
        throw .missing(path: "bos_token", file: "tokenizer_config.json")
      }
      parts.specialTokens.prefix = parts.addedTokens.filter { $0.content == token }.map(\.id)
    }
    try self.init(parts)
  }
}

extension TokenizerConfiguration {
  /// GPT-2's only special token, which it has without any file naming it.
  private static let gpt2EndOfText = TokenBytes("<|endoftext|>")

  /// All added tokens with ids: those that have their own, then those that the vocabulary holds.
  func allAddedTokens(in vocabulary: Vocabulary) throws(TokenizationError) -> [AddedToken] {
    var result = added
    for (content, id) in plain where !result.contains(where: { $0.content == content }) {
      guard 0...Vocabulary.largestID ~= id else {
        throw .idOutOfRange(id: id, token: content.string)
      }
      result.append(.exact(content, id: Int32(id), isSpecial: named.contains(content)))
    }
    let isGPT2 = named.isEmpty && added.isEmpty && vocabulary[Self.gpt2EndOfText] != nil
    for content in isGPT2 ? [Self.gpt2EndOfText] : named
    where !result.contains(where: { $0.content == content }) {
      guard let id = vocabulary[content] else {
        throw .unknownToken(token: content.string, use: "tokenizer_config.json")
      }
      result.append(.exact(content, id: id, isSpecial: true))
    }
    return result
  }
}

extension AddedToken {
  /// A token that is found just as it is written.
  fileprivate static func exact(_ content: TokenBytes, id: Int32, isSpecial: Bool) -> AddedToken {
    AddedToken(
      content: content,
      id: id,
      isSpecial: isSpecial,
      isNormalized: false,
      isSingleWord: false,
      stripsLeft: false,
      stripsRight: false
    )
  }
}
