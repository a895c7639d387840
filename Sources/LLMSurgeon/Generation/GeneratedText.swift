import Foundation
import Safetensors
import Tensors
import Tokenization

/// A prompt as the model takes it.
struct PromptTokens {
  /// The tokens, at least one.
  let tokens: [Int]
  /// The text that the person gave; nil if it was tokens.
  let text: String?
  /// The model's tokenizer; nil if tokens were given and the model has none.
  let tokenizer: Tokenizer?
}

extension OpenedModel {
  /// Turns a prompt into tokens.
  ///
  /// - Throws: ``JobError`` if there are none, or what reading the tokenizer or the file throws.
  func read(_ prompt: Prompt) throws -> PromptTokens {
    switch prompt {
    case .text(let text):
      let tokenizer = try Tokenizer.load(directory: directoryURL)
      let tokens = try tokenizer.encode(Array(text.utf8)).map(Int.init)
      guard !tokens.isEmpty else {
        throw JobError.badSetting(
          "the prompt is empty, and the model's tokenizer puts no token before it; give some text"
        )
      }
      return PromptTokens(tokens: tokens, text: text, tokenizer: tokenizer)
    case .tokens(let file):
      let row = try SafetensorsFile(path: file.path).tokenRow(path: file.relativePath)
      return PromptTokens(tokens: row, text: nil, tokenizer: try tokenizerIfAny())
    }
  }

  private func tokenizerIfAny() throws -> Tokenizer? {
    do { return try Tokenizer.load(directory: directoryURL) } catch {
      if case .noTokenizer = error { return nil }
      throw error
    }
  }
}

extension SafetensorsFile {
  /// The tensor `tokens`, if it is one row.
  fileprivate func tokenRow(path: String) throws -> [Int] {
    guard let shape = description(of: "tokens")?.shape else {
      throw JobError.badTokenFile(path: path, reason: "there is no tensor `tokens`")
    }
    guard shape.count == 1 || (shape.count == 2 && shape[0] == 1), shape.last ?? 0 > 0 else {
      let reason = "`tokens` has the shape \(shape), but a prompt is one row"
      throw JobError.badTokenFile(path: path, reason: reason)
    }
    return try integers("tokens")
  }
}

/// The text of a prompt and its continuation on its way to a person.
struct GeneratedText {
  private let prompt: PromptTokens
  private let show: ((String) throws -> Void)?
  private var stream: TextStream?
  private var parts: [String] = []

  /// The text of the continuation so far; nil without a tokenizer.
  var text: String? { stream == nil ? nil : parts.joined() }

  /// - Throws: `TokenizationError` if the tokenizer cannot decode.
  init(_ prompt: PromptTokens, show: ((String) throws -> Void)?) throws {
    self.prompt = prompt
    self.show = show
    let known = prompt.text == nil ? [] : prompt.tokens
    stream = try prompt.tokenizer.map { try TextStream($0, after: known) }
  }

  /// Shows the prompt.
  mutating func begin() throws {
    if let text = prompt.text {
      try show?(text)
      return
    }
    for token in prompt.tokens { try show?(piece(token)) }
  }

  /// Shows what a token adds.
  mutating func append(_ token: Int) throws {
    let piece = try piece(token)
    parts.append(piece)
    if !piece.isEmpty { try show?(piece) }
  }

  /// Shows what was held back.
  mutating func finish() throws {
    guard let rest = try stream?.remainder(), !rest.isEmpty else { return }
    parts.append(rest)
    try show?(rest)
  }

  private mutating func piece(_ token: Int) throws -> String {
    guard stream != nil else { return "\(token) " }
    return try stream?.append(token) ?? ""
  }
}
