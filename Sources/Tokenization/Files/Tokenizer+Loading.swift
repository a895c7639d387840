package import FoundationEssentials

extension Tokenizer {
  /// Reads the tokenizer of a checkpoint.
  ///
  /// `tokenizer.json` decides alone if it is there; `tokenizer_config.json` then only names the
  /// begin and the end of text. Otherwise `vocab.json` and `merges.txt` make a byte-level tokenizer
  /// like those of GPT-2 and OPT, to which `tokenizer_config.json`, `special_tokens_map.json` and
  /// `added_tokens.json` add special tokens and whether the begin of text is written.
  ///
  /// - Parameter directory: The directory of the checkpoint.
  /// - Returns: The tokenizer.
  /// - Throws: ``TokenizationError``, which names the file and the place.
  package static func load(directory: URL) throws(TokenizationError) -> Tokenizer {
    let configuration = try TokenizerConfiguration(
      configuration: json("tokenizer_config.json", in: directory),
      specialTokens: json("special_tokens_map.json", in: directory),
      addedTokens: json("added_tokens.json", in: directory)
    )
    if let root = try json("tokenizer.json", in: directory) {
      return try Tokenizer(root: root, configuration: configuration)
    }
    guard let vocabulary = try json("vocab.json", in: directory),
      let merges = try bytes("merges.txt", in: directory)
    else { throw .noTokenizer(directory: directory.path) }
    return try Tokenizer(
      vocabulary: vocabulary,
      merges: ModelFiles.merges(lines: merges, file: "merges.txt"),
      configuration: configuration
    )
  }

  /// The contents of a file; nil if there is no such file.
  private static func bytes(
    _ name: String,
    in directory: URL
  ) throws(TokenizationError) -> [UInt8]? {
    let file = directory.appendingPathComponent(name)
    guard FileManager.default.fileExists(atPath: file.path) else { return nil }
    do {
      return Array(try Data(contentsOf: file))
    } catch {
      throw .unreadable(file: file.path, reason: "\(error)")
    }
  }

  private static func json(
    _ name: String,
    in directory: URL
  ) throws(TokenizationError) -> JSONNode? {
    guard let bytes = try bytes(name, in: directory) else { return nil }
    return try JSONNode.parse(bytes, file: name)
  }
}
