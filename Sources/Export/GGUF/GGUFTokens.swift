internal import GGUF
internal import Tokenization

/// The tokens of a vocabulary with their types, by id.
struct GGUFTokens {
  /// What llama.cpp distinguishes.
  private enum Kind: Int32 {
    case normal = 1
    case unknown = 2
    case control = 3
    case userDefined = 4
    case unused = 5
    case byte = 6
  }

  /// The entries, in the order of the file.
  let entries: [GGUFEntry]

  /// Lists the tokens; ids without one get a name that no text holds.
  ///
  /// - Parameters:
  ///   - structure: The tokenizer.
  ///   - rows: The rows of the token embedding.
  ///   - unknown: The token for what cannot be spelled, where the type is told apart.
  /// - Throws: ``GGUFExportError`` if there are more tokens than rows, or two of one name.
  init(
    _ structure: TokenizerStructure,
    rows: Int,
    unknown: Int32?
  ) throws(GGUFExportError) {
    var texts = (0..<rows).map { Array("[PAD\($0)]".utf8) }
    var kinds = [Int32](repeating: Kind.unused.rawValue, count: rows)
    for token in structure.tokens {
      guard Int(token.id) < rows else {
        let count = Int(structure.tokens.last?.id ?? 0) + 1
        throw .vocabularyTooLarge(tokens: count, rows: rows)
      }
      texts[Int(token.id)] = token.text.utf8
      kinds[Int(token.id)] = Self.kind(token, unknown: unknown).rawValue
    }
    // llama.cpp ends its process where two tokens have one name.
    guard Set(texts).count == rows else {
      throw .unsupportedTokenizer("a token is called like the filling of an id without token")
    }
    entries = [
      GGUFEntry("tokenizer.ggml.tokens", .array(GGUFArray(texts: texts))),
      GGUFEntry("tokenizer.ggml.token_type", .array(GGUFArray(kinds))),
    ]
  }

  private static func kind(_ token: TokenizerStructure.Token, unknown: Int32?) -> Kind {
    if token.id == unknown { return .unknown }
    return switch token.kind {
    case .ordinary: .normal
    case .byte: .byte
    case .added: .userDefined
    case .special: .control
    }
  }
}
