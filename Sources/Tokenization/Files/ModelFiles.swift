internal import ExactJSON

/// Reads the byte-pair model out of its files.
enum ModelFiles {
  /// What `tokenizer.json` says about its model.
  static func model(
    _ node: JSONNode,
    unit: SymbolTable.Unit
  ) throws(TokenizationError) -> BytePairModel {
    let type = try node.optional("type")?.text().string ?? "BPE"
    guard type == "BPE" else { throw .unsupported(component: "model", name: type) }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
      guard try node.optional(key)?.text().utf8.isEmpty ?? true else {
        throw .unsupported(component: "model", name: "BPE with \(key)")
      }
    }
    if let dropout = try node.optional("dropout"), dropout.value.double != 0 {
      throw .unsupported(component: "model", name: "BPE with dropout")
    }
    let hasByteFallback = try node.flag("byte_fallback", default: false)
    guard !(hasByteFallback && unit == .byte) else {
      throw .unsupported(component: "model", name: "BPE with byte_fallback after ByteLevel")
    }
    let vocabulary = try vocabulary(node.member("vocab"))
    let merges = try merges(node.member("merges"))
    return BytePairModel(
      vocabulary: vocabulary,
      symbols: SymbolTable(
        unit: unit,
        hasByteFallback: hasByteFallback,
        unknown: try unknown(node, in: vocabulary),
        vocabulary: vocabulary
      ),
      merges: try MergeTable(merges, vocabulary: vocabulary),
      ignoresMerges: try node.flag("ignore_merges", default: false)
    )
  }

  /// An object whose keys are tokens and whose values are ids.
  static func vocabulary(_ node: JSONNode) throws(TokenizationError) -> Vocabulary {
    guard let object = node.value.object else { throw node.mismatch("an object") }
    var vocabulary = Vocabulary()
    for (key, value) in object.members {
      guard let id = value.integer else {
        throw .unexpectedValue(
          path: "\(node.path.isEmpty ? "" : node.path + ".")\(key.string)",
          file: node.file,
          expected: "an integer"
        )
      }
      try vocabulary.add(TokenBytes(utf8: key.utf8), id: id)
    }
    return vocabulary
  }

  /// The lines of `merges.txt`.
  ///
  /// Lines end at U+000A only, since a token may hold any other line separator; a carriage return
  /// before it is dropped. Lines that begin with `#version` are passed over.
  static func merges(
    lines text: [UInt8],
    file: String
  ) throws(TokenizationError) -> [(left: TokenBytes, right: TokenBytes)] {
    var lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty ?? false { lines.removeLast() }
    var result: [(left: TokenBytes, right: TokenBytes)] = []
    for (index, line) in lines.enumerated() where !line.starts(with: "#version".utf8) {
      try line.span.validateUTF8()
      let content = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      guard let pair = pair(content) else {
        throw .malformedMerge(number: index + 1, file: file)
      }
      result.append(pair)
    }
    return result
  }

  private static func merges(
    _ node: JSONNode
  ) throws(TokenizationError) -> [(left: TokenBytes, right: TokenBytes)] {
    guard let elements = node.value.array else { throw node.mismatch("an array") }
    var result: [(left: TokenBytes, right: TokenBytes)] = []
    result.reserveCapacity(elements.count)
    for (index, element) in elements.enumerated() {
      if let text = element.text {
        if text.utf8.starts(with: "#version".utf8) { continue }
        guard let pair = pair(text.utf8[...]) else {
          throw .malformedMerge(number: index + 1, file: node.file)
        }
        result.append(pair)
      } else if let texts = element.array, texts.count == 2, let left = texts[0].text,
        let right = texts[1].text, !left.utf8.isEmpty, !right.utf8.isEmpty
      {
        result.append((TokenBytes(utf8: left.utf8), TokenBytes(utf8: right.utf8)))
      } else {
        throw .malformedMerge(number: index + 1, file: node.file)
      }
    }
    return result
  }

  /// Two tokens with one space between them.
  private static func pair(_ text: ArraySlice<UInt8>) -> (left: TokenBytes, right: TokenBytes)? {
    let parts = text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
    return (TokenBytes(utf8: Array(parts[0])), TokenBytes(utf8: Array(parts[1])))
  }

  private static func unknown(
    _ node: JSONNode,
    in vocabulary: Vocabulary
  ) throws(TokenizationError) -> SymbolTable.Unknown? {
    guard let token = try node.optional("unk_token")?.text() else { return nil }
    guard let id = vocabulary[token] else {
      throw .unknownToken(token: token.string, use: "\(node.file), \"model.unk_token\",")
    }
    return SymbolTable.Unknown(id: id, isFused: try node.flag("fuse_unk", default: false))
  }
}
