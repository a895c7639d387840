/// Reads added tokens and the tokens around a text out of their files.
enum SpecialTokenFiles {
  /// The member `added_tokens` of `tokenizer.json`.
  static func addedTokens(_ node: JSONNode?) throws(TokenizationError) -> [AddedToken] {
    guard let node else { return [] }
    var result: [AddedToken] = []
    for node in try node.elements() {
      result.append(try addedToken(node, id: try node.member("id").integer()))
    }
    return result
  }

  /// One added token with all its flags.
  static func addedToken(_ node: JSONNode, id: Int) throws(TokenizationError) -> AddedToken {
    let content = try node.member("content").text()
    guard 0...Vocabulary.largestID ~= id else {
      throw .idOutOfRange(id: id, token: content.string)
    }
    return AddedToken(
      content: content,
      id: Int32(id),
      isSpecial: try node.flag("special"),
      isNormalized: try node.flag("normalized"),
      isSingleWord: try node.flag("single_word"),
      stripsLeft: try node.flag("lstrip"),
      stripsRight: try node.flag("rstrip")
    )
  }

  /// The member `post_processor` of `tokenizer.json`.
  static func tokensAroundText(
    _ node: JSONNode?,
    isToken: (Int) -> Bool
  ) throws(TokenizationError) -> SpecialTokens {
    var result = SpecialTokens()
    for node in try Components.flattened(node, members: "processors") {
      switch try node.type() {
      case "ByteLevel": break  // Changes offsets only.
      case "TemplateProcessing":
        let outer = try template(node, isToken: isToken)
        result.prefix = outer.prefix + result.prefix
        result.suffix += outer.suffix
      case let name: throw .unsupported(component: "post-processor", name: name)
      }
    }
    return result
  }

  private static func template(
    _ node: JSONNode,
    isToken: (Int) -> Bool
  ) throws(TokenizationError) -> SpecialTokens {
    let single = try node.member("single")
    var (result, texts) = (SpecialTokens(), 0)
    for piece in try single.elements() {
      if let token = try piece.optional("SpecialToken") {
        let name = try token.member("id").text().string
        let ids = try ids(ofSpecial: name, in: node, isToken: isToken)
        if texts == 0 { result.prefix += ids } else { result.suffix += ids }
      } else {
        let name = try piece.member("Sequence").member("id").text().string
        guard name == "A" else { throw single.mismatch("a template for one text, A") }
        texts += 1
      }
    }
    guard texts == 1 else { throw single.mismatch("a template that holds the text once") }
    return result
  }

  private static func ids(
    ofSpecial name: String,
    in template: JSONNode,
    isToken: (Int) -> Bool
  ) throws(TokenizationError) -> [Int32] {
    var result: [Int32] = []
    let special = try template.member("special_tokens").member(name)
    for node in try special.member("ids").elements() {
      let id = try node.integer()
      guard 0...Vocabulary.largestID ~= id, isToken(id) else {
        throw .unknownToken(token: name, use: "the post-processor, with id \(id),")
      }
      result.append(Int32(id))
    }
    return result
  }
}
