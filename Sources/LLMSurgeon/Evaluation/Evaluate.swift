import ExactJSON
public import Foundation
import Transformer

/// What ``evaluate(_:progress:)`` is asked to do.
public struct EvaluationOptions: Sendable {
  /// A directory, or `org/name` in the local Hugging Face cache.
  public var model: String
  /// Where the tokens come from.
  public var input: TokenInput
  /// The tokens of a window; nil for 2048 or what the model takes, or a token file's row.
  public var length: Int?
  /// The number of windows, the first ones, no more than there are; nil for all.
  public var windows: Int?
  /// A new safetensors file for the logits of the windows, `[windows, length, vocabulary]`.
  public var logits: URL?

  /// An evaluation of a model on some tokens.
  public init(
    model: String,
    input: TokenInput,
    length: Int? = nil,
    windows: Int? = nil,
    logits: URL? = nil
  ) {
    self.model = model
    self.input = input
    self.length = length
    self.windows = windows
    self.logits = logits
  }
}

/// A perplexity and how it was measured.
public struct Evaluation: Sendable, Equatable {
  /// exp of the mean over windows of the mean cross entropy.
  public let perplexity: Double
  /// The mean over windows of exp of the mean cross entropy, which some projects print; never less.
  public let meanWindowPerplexity: Double
  /// The mean over windows of the mean cross entropy, in nats per predicted token.
  public let loss: Double
  /// The number of windows.
  public let windows: Int
  /// The tokens of each; one fewer are predicted.
  public let length: Int
  /// The file names of the tokens.
  public let source: String

  /// A few lines for a person.
  public var text: String {
    """
    perplexity \(String(format: "%.3f", perplexity)) (\(String(format: "%.4f", loss)) nats per token)
    mean of the windows' own perplexities \(String(format: "%.3f", meanWindowPerplexity))
    protocol: \(source), no special tokens, first \(windows) windows of \(length) tokens without \
    overlap, mean over windows of the mean cross entropy of \(length - 1) predictions, float32
    """
  }

  /// The same as a JSON document.
  public var json: String {
    let document: JSONValue = [
      "perplexity": JSONValue(perplexity),
      "meanWindowPerplexity": JSONValue(meanWindowPerplexity),
      "loss": JSONValue(loss), "unit": "nats per token",
      "windows": JSONValue(windows), "length": JSONValue(length), "source": JSONValue(source),
      "specialTokens": false, "overlap": 0, "precision": "float32",
    ]
    return String(decoding: JSONWriter.write(document, indent: 2).dropLast(), as: UTF8.self)
  }
}

/// Measures the perplexity of a model.
///
/// - Parameters:
///   - options: The model, the tokens and the windows.
///   - progress: Hears how it goes on.
/// - Returns: The perplexity and its protocol.
/// - Throws: ``JobError``, or an error of the model, tokenizer or files; before any work if the file
///   of logits cannot be made.
public func evaluate(
  _ options: EvaluationOptions,
  progress: any ProgressListener = SilentProgress()
) throws -> Evaluation {
  let file = try options.logits.map { try LogitsFile($0) }
  let opened = try OpenedModel(options.model)
  let windows = try options.input.leadingWindows(
    count: options.windows,
    length: options.length,
    longest: opened.usualLength,
    tokenizer: opened.directoryURL
  )
  let losses = try opened.model.windowLosses(windows, progress: progress)
  let evaluation = Evaluation(losses, of: windows)
  if let file {
    // Said before a full disk can end it all.
    let perplexity = String(format: "%.3f", evaluation.perplexity)
    progress.note("perplexity \(perplexity); the logits are computed again to be written")
    try file.write(opened.model, windows, progress: progress)
  }
  return evaluation
}

extension Evaluation {
  /// What the mean cross entropies of some windows say.
  init(_ losses: [Double], of windows: TokenWindows) {
    let mean = { (values: [Double]) in values.reduce(0, +) / Double(values.count) }
    loss = mean(losses)
    perplexity = exp(loss)
    meanWindowPerplexity = mean(losses.map(exp))
    self.windows = windows.count
    length = windows.length
    source = windows.source
  }
}

extension DecoderModel {
  /// The sequences that go through the model at once: a bound on memory, not on the result.
  static let tokensAtOnce = 16_384

  /// How many windows go through the model at once.
  static func windowsAtOnce(_ windows: TokenWindows) -> Int {
    max(1, tokensAtOnce / windows.length)
  }

  /// The mean over windows of the mean cross entropy of each, in nats per predicted token.
  func meanLoss(_ windows: TokenWindows, progress: any ProgressListener) throws -> Double {
    let losses = try windowLosses(windows, progress: progress)
    return losses.reduce(0, +) / Double(losses.count)
  }

  /// The mean cross entropy of each window, in nats per predicted token.
  func windowLosses(
    _ windows: TokenWindows,
    progress: any ProgressListener
  ) throws -> [Double] {
    progress.begin("evaluating", total: windows.count, unit: "windows")
    defer { progress.end() }
    let step = Self.windowsAtOnce(windows)
    var losses: [Double] = []
    for first in stride(from: 0, to: windows.count, by: step) {
      let last = min(windows.count, first + step)
      let part = windows.tokens[first * windows.length..<last * windows.length]
      losses += try self.losses(TokenSequences(tokens: Array(part), length: windows.length))
      progress.advance(to: last)
    }
    return losses
  }
}
