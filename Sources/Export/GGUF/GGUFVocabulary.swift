package import Checkpoint
internal import ExactJSON
internal import GGUF
package import Tokenization

/// The tokenizer's part of a GGUF file's metadata.
package struct GGUFVocabulary {
  /// What llama.cpp does otherwise than the tokenizer, for the person; one line each.
  package let notes: [String]
  /// The entries, in the order of the file.
  let entries: [GGUFEntry]

  /// The entries of a file without tokenizer.
  static let none = [GGUFEntry("tokenizer.ggml.model", .text("no_vocab"))]

  /// Translates a tokenizer.
  ///
  /// - Parameters:
  ///   - tokenizer: The tokenizer.
  ///   - directory: The model it belongs to, for ids and the chat template.
  ///   - rows: The rows of the token embedding; ids without a token are filled up to it.
  /// - Throws: ``GGUFExportError`` if llama.cpp would cut text into other tokens, and what reading
  ///   the files throws.
  package init(_ tokenizer: Tokenizer, of directory: ModelDirectory, rows: Int) throws {
    let structure = tokenizer.structure
    let special = try GGUFSpecialTokens(tokenizer, directory.configuration, rows: rows)
    let (model, pre, modelEntries): (String, String, [GGUFEntry])
    switch structure.scheme {
    case .byteLevel(let pattern):
      model = "gpt2"
      pre = try Self.preTokenizer(pattern, ignoresMerges: structure.ignoresMerges)
      modelEntries = [try Self.merges(structure)]
    case .separated(let separator, let prefix, let isCut):
      model = "llama"
      pre = "default"
      try Self.check(separator, structure)
      let scores = try GGUFScores(structure, separator: separator, isCut: isCut)
      modelEntries = [
        GGUFEntry("tokenizer.ggml.scores", .array(GGUFArray(scores.values(rows: rows)))),
        GGUFEntry("tokenizer.ggml.add_space_prefix", .bool(prefix != .never)),
      ]
    case .other(let reason): throw GGUFExportError.unsupportedTokenizer(reason)
    }
    let tokens = try GGUFTokens(
      structure,
      rows: rows,
      unknown: model == "llama" ? tokenizer.unknown : nil
    )
    entries =
      [
        GGUFEntry("tokenizer.ggml.model", .text(model)),
        GGUFEntry("tokenizer.ggml.pre", .text(pre)),
      ] + tokens.entries + modelEntries + special.entries
      + (try Self.chatTemplate(directory).map { [GGUFEntry("tokenizer.chat_template", .text($0))] }
        ?? [])
    notes = Self.notes(structure)
  }

  /// llama.cpp's name for a pattern; it also decides whether words that are tokens stay whole.
  private static func preTokenizer(
    _ pattern: WordPattern,
    ignoresMerges: Bool
  ) throws(GGUFExportError) -> String {
    switch (pattern, ignoresMerges) {
    case (.gpt2, false): return "gpt-2"
    case (.llama3, true): return "llama-bpe"
    case (.llama3, false): return "smaug-bpe"
    case (.qwen2, false): return "qwen2"
    case (.gpt2, true), (.qwen2, true):
      throw .unsupportedTokenizer("words that are tokens are not taken apart (ignore_merges)")
    }
  }

  private static func merges(_ structure: TokenizerStructure) throws(GGUFExportError) -> GGUFEntry {
    let space = UInt8(ascii: " ")
    let textOfToken = Dictionary(
      uniqueKeysWithValues: structure.tokens.map { ($0.id, $0.text.utf8) }
    )
    var merges: [[UInt8]] = []
    for merge in structure.merges {
      let left = textOfToken[merge.left] ?? []
      let right = textOfToken[merge.right] ?? []
      guard !left.contains(space), !right.contains(space) else {
        throw .unsupportedTokenizer("a token that is merged holds a space")
      }
      merges.append(left + [space] + right)
    }
    return GGUFEntry("tokenizer.ggml.merges", .array(GGUFArray(texts: merges)))
  }

  private static func check(
    _ separator: [UInt8],
    _ structure: TokenizerStructure
  ) throws(GGUFExportError) {
    guard separator == Array("\u{2581}".utf8) else {
      throw .unsupportedTokenizer("the separator of words is not U+2581")
    }
    guard !structure.ignoresMerges else {
      throw .unsupportedTokenizer("texts that are tokens are not taken apart (ignore_merges)")
    }
  }

  private static func notes(_ structure: TokenizerStructure) -> [String] {
    var notes: [String] = []
    if structure.isComposed {
      notes.append("llama.cpp does not compose characters (NFC): give it composed text")
    }
    if case .separated(_, .whereMissing, _) = structure.scheme {
      notes.append("llama.cpp puts one more space before a text that begins with a space")
    }
    if !structure.conditionalTokens.isEmpty {
      let names = structure.conditionalTokens.prefix(4).map { "\"\($0.string)\"" }
      let rest = structure.conditionalTokens.count - names.count
      notes.append(
        "llama.cpp finds these added tokens wherever they stand, white space untouched: "
          + names.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
      )
    }
    return notes
  }
}
