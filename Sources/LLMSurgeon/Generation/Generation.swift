import ExactJSON
import Foundation
import Report

/// A continuation of a prompt and the time it took.
public struct Generation: Sendable, Equatable {
  /// The tokens of the prompt, special ones included.
  public let promptTokens: [Int]
  /// The tokens that follow; the last one may end the text.
  public let tokens: [Int]
  /// The text of ``tokens``; nil for a model without a tokenizer.
  public let text: String?
  /// Whether the last token is one that ends the text.
  public let hasEnded: Bool
  /// The time for the prompt, up to the first token's logits, in seconds.
  public let promptSeconds: Double
  /// The time for all tokens behind the first generated one, in seconds.
  public let decodingSeconds: Double

  /// One line for a person: how many tokens, and how fast.
  public var summary: String {
    let prompt = Speed(tokens: promptTokens.count, seconds: promptSeconds)
    let decoding = Speed(tokens: tokens.count - 1, seconds: decodingSeconds)
    return "prompt: \(prompt.text); generated: \(Quantity.counted(tokens.count, "token"))"
      + (hasEnded ? " to the end of the text" : "")
      + (tokens.count > 1 ? ", \(decoding.rateText)" : "")
  }

  /// The figures as a JSON document.
  public var json: String {
    let document: JSONValue = [
      "promptTokens": .array(promptTokens.map { JSONValue($0) }),
      "tokens": .array(tokens.map { JSONValue($0) }),
      "text": text.map { JSONValue($0) } ?? .null,
      "endOfText": .bool(hasEnded),
      "promptSeconds": JSONValue(promptSeconds),
      "promptTokensPerSecond": Speed(tokens: promptTokens.count, seconds: promptSeconds).json,
      "decodingSeconds": JSONValue(decodingSeconds),
      "decodingTokensPerSecond": Speed(tokens: tokens.count - 1, seconds: decodingSeconds).json,
    ]
    return String(decoding: JSONWriter.write(document, indent: 2).dropLast(), as: UTF8.self)
  }
}

/// Tokens in a time.
struct Speed {
  let tokens: Int
  let seconds: Double

  /// Tokens a second; infinite where no time passed.
  var rate: Double { Double(tokens) / seconds }

  /// The rate; null where nothing was computed.
  var json: JSONValue { tokens > 0 ? JSONValue(rate) : .null }

  var rateText: String { "\(Quantity.figure(rate)) tokens/s" }

  var text: String {
    "\(Quantity.counted(tokens, "token")) in \(Quantity.duration(seconds: seconds)), \(rateText)"
  }
}
