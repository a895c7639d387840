/// What `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` say.
struct TokenizerConfiguration {
  /// The token before a text.
  var beginOfText: TokenBytes?
  /// The token behind a text.
  var endOfText: TokenBytes?
  /// The token for what cannot be spelled.
  var unknown: TokenBytes?
  /// The token that fills up short texts.
  var padding: TokenBytes?
  /// Whether the text gets ``beginOfText`` before it.
  var addsBeginOfText = false
  /// Whether the text gets a space before it.
  var addsPrefixSpace = false
  /// Special tokens by name, the content only.
  var named: [TokenBytes] = []
  /// Added tokens with all flags.
  var added: [AddedToken] = []
  /// Added tokens of which only the id is known.
  var plain: [(content: TokenBytes, id: Int)] = []

  /// The names under which one special token is stored.
  private static let names = [
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
  ]

  /// Reads what there is; each file may be absent.
  init(
    configuration: JSONNode?,
    specialTokens: JSONNode?,
    addedTokens: JSONNode?
  ) throws(TokenizationError) {
    for name in Self.names {
      var node = try configuration?.optional(name)
      if node == nil { node = try specialTokens?.optional(name) }
      guard let token = try Self.content(node) else { continue }
      named.append(token)
      switch name {
      case "bos_token": beginOfText = token
      case "eos_token": endOfText = token
      case "unk_token": unknown = token
      case "pad_token": padding = token
      default: break
      }
    }
    if let more = try configuration?.optional("additional_special_tokens") {
      for node in try more.elements() {
        if let token = try Self.content(node) { named.append(token) }
      }
    }
    if let decoder = try configuration?.optional("added_tokens_decoder") {
      for (key, node) in try decoder.members() {
        guard let id = Int(key.string) else { throw node.mismatch("under an integer key") }
        added.append(try SpecialTokenFiles.addedToken(node, id: id))
      }
    }
    for (key, node) in try addedTokens?.members() ?? [] { plain.append((key, try node.integer())) }
    addsBeginOfText = try configuration?.flag("add_bos_token", default: false) ?? false
    addsPrefixSpace = try configuration?.flag("add_prefix_space", default: false) ?? false
  }

  /// A token that stands as a string or as an object with a member `content`.
  private static func content(_ node: JSONNode?) throws(TokenizationError) -> TokenBytes? {
    guard let node else { return nil }
    if node.isObject { return try node.member("content").text() }
    return try node.text()
  }
}
