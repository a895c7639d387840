internal import ExactJSON
internal import GGUF
internal import Tokenization

/// Which tokens have a meaning, and which are put around a text.
struct GGUFSpecialTokens {
  /// The entries, in the order of the file.
  let entries: [GGUFEntry]

  /// Finds the tokens.
  ///
  /// Where the tokenizer's files are silent, `config.json` is asked. llama.cpp takes token 11 or 2
  /// for the end of text if none is named, so one must be.
  ///
  /// - Parameters:
  ///   - tokenizer: The tokenizer.
  ///   - configuration: The document `config.json`.
  ///   - rows: The rows of the token embedding.
  /// - Throws: ``GGUFExportError``.
  init(
    _ tokenizer: Tokenizer,
    _ configuration: JSONValue,
    rows: Int
  ) throws(GGUFExportError) {
    guard tokenizer.prefix.count <= 1, tokenizer.suffix.count <= 1 else {
      throw .unsupportedTokenizer("more than one token is put before or behind a text")
    }
    func configured(_ key: JSONText) -> Int32? {
      let value = configuration[key]?.array?.first ?? configuration[key]
      guard let id = value?.integer, 0..<rows ~= id else { return nil }
      return Int32(exactly: id)
    }
    let end = tokenizer.suffix.first ?? tokenizer.endOfText ?? configured("eos_token_id")
    guard let end else { throw .noEndOfText }
    let begin = tokenizer.prefix.first ?? tokenizer.beginOfText ?? configured("bos_token_id")
    var entries = [Self.entry("bos", begin ?? end), Self.entry("eos", end)]
    if let unknown = tokenizer.unknown { entries.append(Self.entry("unknown", unknown)) }
    if let padding = tokenizer.padding ?? configured("pad_token_id") {
      entries.append(Self.entry("padding", padding))
    }
    entries.append(GGUFEntry("tokenizer.ggml.add_bos_token", .bool(!tokenizer.prefix.isEmpty)))
    entries.append(GGUFEntry("tokenizer.ggml.add_eos_token", .bool(!tokenizer.suffix.isEmpty)))
    self.entries = entries
  }

  private static func entry(_ name: String, _ id: Int32) -> GGUFEntry {
    GGUFEntry("tokenizer.ggml.\(name)_token_id", .uint32(UInt32(id)))
  }
}
