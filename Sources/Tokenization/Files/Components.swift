/// The parts of `tokenizer.json` before and behind the model.
enum Components {
  /// No tokenizer chains more normalizers than this.
  private static let longestChain = 16

  /// The normalizers, in order.
  static func normalizers(_ node: JSONNode?) throws(TokenizationError) -> [Normalizer] {
    var result: [Normalizer] = []
    for node in try flattened(node, members: "normalizers") {
      switch try node.type() {
      case "NFC": result.append(.composed)
      case "Prepend": result.append(.prepend(try node.member("prepend").text().utf8))
      case "Replace":
        let (pattern, content) = try replacement(node, component: "normalizer")
        result.append(.replace(pattern: pattern, content: content))
      case let name: throw .unsupported(component: "normalizer", name: name)
      }
    }
    guard result.count <= longestChain else {
      throw .unsupported(component: "normalizer", name: "Sequence of \(result.count)")
    }
    return result
  }

  /// The steps that cut text into words.
  static func preTokenizer(_ node: JSONNode?) throws(TokenizationError) -> PreTokenizer {
    var steps: [PreTokenizer.Step] = []
    let nodes = try flattened(node, members: "pretokenizers")
    for (index, node) in nodes.enumerated() {
      switch try node.type() {
      case "Split": steps.append(.words(try wordPattern(node)))
      case "ByteLevel" where index == nodes.count - 1:
        if try node.flag("add_prefix_space") { steps.append(.spacePrefix) }
        if try node.flag("use_regex", default: true) { steps.append(.words(.gpt2)) }
        return PreTokenizer(steps: steps, unit: .byte)
      case "Metaspace": steps += try separatorSteps(node)
      case "ByteLevel":
        throw .unsupported(component: "pre-tokenizer", name: "ByteLevel before another one")
      case let name: throw .unsupported(component: "pre-tokenizer", name: name)
      }
    }
    return PreTokenizer(steps: steps, unit: .scalar)
  }

  /// The steps that turn tokens into text; nil if the file has none.
  static func decoder(_ node: JSONNode?) throws(TokenizationError) -> Decoder? {
    guard let node else { return nil }
    var steps: [Decoder.Step] = []
    for node in try flattened(node, members: "decoders") {
      switch try node.type() {
      case "ByteLevel": steps.append(.byteLevel)
      case "ByteFallback": steps.append(.byteFallback)
      case "Fuse": steps.append(.fuse)
      case "Replace":
        let (pattern, content) = try replacement(node, component: "decoder")
        steps.append(.replace(pattern: pattern, content: content))
      case "Strip": steps.append(try strip(node))
      case "Metaspace":
        let (separator, prefixing) = try separator(node)
        steps.append(.separator(separator, dropsFirst: prefixing != .never))
      case let name: throw .unsupported(component: "decoder", name: name)
      }
    }
    return Decoder(steps: steps)
  }

  /// The components that a node stands for: itself, or those of a `Sequence`.
  static func flattened(
    _ node: JSONNode?,
    members: String
  ) throws(TokenizationError) -> [JSONNode] {
    guard let node else { return [] }
    guard try node.type() == "Sequence" else { return [node] }
    var result: [JSONNode] = []
    for child in try node.member(members).elements() {
      result += try flattened(child, members: members)
    }
    return result
  }

  private static func replacement(
    _ node: JSONNode,
    component: String
  ) throws(TokenizationError) -> (pattern: [UInt8], content: [UInt8]) {
    let pattern = try node.member("pattern")
    guard let text = try pattern.optional("String") else {
      throw .unsupported(component: component, name: "Replace by a regular expression")
    }
    return (try text.filledText().utf8, try node.member("content").text().utf8)
  }

  private static func wordPattern(_ node: JSONNode) throws(TokenizationError) -> WordPattern {
    let behavior = try node.member("behavior").text().string
    guard behavior == "Isolated", try !node.flag("invert", default: false) else {
      throw .unsupported(component: "pre-tokenizer", name: "Split with behavior \(behavior)")
    }
    guard let expression = try node.member("pattern").optional("Regex")?.text() else {
      throw .unsupported(component: "pre-tokenizer", name: "Split at a fixed string")
    }
    guard let pattern = WordPattern(regularExpression: expression.utf8) else {
      throw .unsupported(component: "pre-tokenizer", name: "Split at \(expression.string)")
    }
    return pattern
  }

  private static func separatorSteps(
    _ node: JSONNode
  ) throws(TokenizationError) -> [PreTokenizer.Step] {
    let (separator, prefixing) = try separator(node)
    let step = PreTokenizer.Step.separator(separator, prefixing)
    return try node.flag("split", default: true) ? [step, .cut(separator)] : [step]
  }

  private static func separator(
    _ node: JSONNode
  ) throws(TokenizationError) -> ([UInt8], PreTokenizer.Prefixing) {
    let replacement = try node.member("replacement")
    let text = try replacement.filledText()
    guard text.string.unicodeScalars.count == 1 else {
      throw replacement.mismatch("one Unicode scalar")
    }
    let isPrefixed = try node.flag("add_prefix_space", default: true)
    guard let scheme = try node.optional("prepend_scheme") else {
      return (text.utf8, isPrefixed ? .always : .never)
    }
    switch try scheme.text().string {
    case "always": return (text.utf8, .always)
    case "first": return (text.utf8, .first)
    case "never": return (text.utf8, .never)
    default: throw scheme.mismatch("\"always\", \"first\" or \"never\"")
    }
  }

  private static func strip(_ node: JSONNode) throws(TokenizationError) -> Decoder.Step {
    let content = try node.member("content").filledText().utf8
    let (start, stop) = (try node.member("start"), try node.member("stop"))
    guard try start.integer() >= 0 else { throw start.mismatch("a count") }
    guard try stop.integer() >= 0 else { throw stop.mismatch("a count") }
    return .strip(content: content, start: try start.integer(), stop: try stop.integer())
  }
}
