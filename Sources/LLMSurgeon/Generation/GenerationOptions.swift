public import Foundation

/// What a model is to continue.
public enum Prompt: Sendable, Equatable {
  /// A text, which gets the special tokens around it that the model's tokenizer adds by itself.
  case text(String)
  /// A safetensors file whose integer tensor `tokens` is one row, taken as it stands.
  case tokens(URL)
}

/// How the next token is drawn from the model's distribution.
public struct SamplingChoice: Sendable, Equatable {
  /// What logits are divided by, above 0.
  public var temperature: Double
  /// Draws from this many of the most likely tokens; nil for all.
  public var topK: Int?
  /// Draws from the fewest tokens that together are at least so likely, above 0 and up to 1; nil for
  /// all.
  public var topP: Double?
  /// The seed of the draws.
  public var seed: UInt64

  /// A draw from the distribution, unchanged unless stated.
  public init(temperature: Double = 1, topK: Int? = nil, topP: Double? = nil, seed: UInt64 = 0) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.seed = seed
  }

  /// Refuses numbers that are out of range.
  func check() throws {
    guard temperature > 0, temperature.isFinite else {
      throw JobError.badSetting("the temperature must be above 0")
    }
    if let topK, topK < 1 { throw JobError.badSetting("top-k must be at least 1") }
    if let topP, !(topP > 0 && topP <= 1) {
      throw JobError.badSetting("top-p must be above 0 and at most 1")
    }
  }
}

/// What ``generate(_:progress:show:)`` is asked to do.
public struct GenerationOptions: Sendable {
  /// A directory, or `org/name` in the local Hugging Face cache.
  public var model: String
  /// What is continued.
  public var prompt: Prompt
  /// The most tokens to generate.
  public var tokens: Int
  /// How tokens are drawn; nil for the most likely one each time.
  public var sampling: SamplingChoice?
  /// Whether to go on behind a token that ends the text.
  public var ignoresEndOfText: Bool

  /// A continuation of a prompt.
  public init(
    model: String,
    prompt: Prompt,
    tokens: Int = 128,
    sampling: SamplingChoice? = nil,
    ignoresEndOfText: Bool = false
  ) {
    self.model = model
    self.prompt = prompt
    self.tokens = tokens
    self.sampling = sampling
    self.ignoresEndOfText = ignoresEndOfText
  }
}
