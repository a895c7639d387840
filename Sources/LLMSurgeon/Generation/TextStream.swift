import Tokenization

/// Turns tokens into text as they come; a character's bytes are held back until all are there.
///
/// What a token spells may depend on those before it, so the last tokens are decoded together and
/// what is new is given out.
struct TextStream {
  /// How many tokens are kept as context when the window has grown to ``longest``.
  private static let context = 16
  private static let longest = 64

  private let tokenizer: Tokenizer
  private var window: [Int32]
  /// The number of bytes of the window's text that were given out.
  private var shown: Int

  /// A stream that goes on behind some tokens.
  ///
  /// - Parameters:
  ///   - tokenizer: The model's tokenizer.
  ///   - tokens: What was given out already.
  /// - Throws: `TokenizationError` if the tokenizer cannot decode.
  init(_ tokenizer: Tokenizer, after tokens: [Int] = []) throws {
    self.tokenizer = tokenizer
    window = tokens.suffix(Self.context).compactMap { Self.id($0, tokenizer) }
    shown = try tokenizer.decode(window, skipsSpecialTokens: true).count
  }

  /// The text that a token completes; empty if there is none, as for special tokens, and for ids that
  /// a model has for padding and its tokenizer does not know.
  mutating func append(_ token: Int) throws -> String {
    guard let id = Self.id(token, tokenizer) else { return "" }
    window.append(id)
    let bytes = try tokenizer.decode(window, skipsSpecialTokens: true)
    let end = Self.wholeCharacters(bytes)
    let text = String(decoding: bytes.prefix(end).dropFirst(shown), as: UTF8.self)
    shown = max(shown, end)
    if end == bytes.count, window.count >= Self.longest { try shorten() }
    return text
  }

  /// What was held back: the beginning of a character that never became whole.
  func remainder() throws -> String {
    let bytes = try tokenizer.decode(window, skipsSpecialTokens: true)
    return String(decoding: bytes.dropFirst(shown), as: UTF8.self)
  }

  private mutating func shorten() throws {
    window.removeFirst(window.count - Self.context)
    shown = try tokenizer.decode(window, skipsSpecialTokens: true).count
  }

  private static func id(_ token: Int, _ tokenizer: Tokenizer) -> Int32? {
    Int32(exactly: token).flatMap { tokenizer.token(of: $0) == nil ? nil : $0 }
  }

  /// The number of leading bytes without the beginning of a UTF-8 sequence at the end.
  static func wholeCharacters(_ bytes: [UInt8]) -> Int {
    for length in 1...3 where length <= bytes.count {
      let start = bytes.count - length
      let needed =
        switch bytes[start] {
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        case 0x80...0xBF: 0  // Within a sequence: look further back.
        default: 1
        }
      if needed > 0 { return needed > length ? start : bytes.count }
    }
    return bytes.count
  }
}
