import Foundation
import Tokenization
import Transformer

/// Continues a prompt token by token.
///
/// All weights are read into memory once, in single precision; keys and values of the tokens so far
/// are kept. The same options give the same tokens on any number of threads.
///
/// - Parameters:
///   - options: The model, the prompt, and how to go on.
///   - progress: Hears of reading the weights and the prompt, and of each token unless `show` does.
///   - show: Is given the prompt's text, then what each token adds to it; for a model without a
///     tokenizer the tokens' numbers.
/// - Returns: The tokens, their text, and the time they took.
/// - Throws: ``JobError``, an error of the model, tokenizer or files, or what `show` throws.
public func generate(
  _ options: GenerationOptions,
  progress: any ProgressListener = SilentProgress(),
  show: ((String) throws -> Void)? = nil
) throws -> Generation {
  guard options.tokens >= 1 else { throw JobError.badSetting("at least one token is needed") }
  var sampler = try TokenSampler(options.sampling)
  let opened = try OpenedModel(options.model)
  let prompt = try opened.read(options.prompt)
  try opened.checkLength(prompt: prompt.tokens.count, new: options.tokens, progress: progress)
  let ends = options.ignoresEndOfText ? [] : try opened.endOfText(prompt.tokenizer)
  var output = try GeneratedText(prompt, show: show)
  var run = GenerationRun(
    model: try opened.resident(progress: progress),
    length: prompt.tokens.count + options.tokens
  )
  try output.begin()
  try run.read(prompt.tokens, progress: progress)
  let listener: any ProgressListener = show == nil ? progress : SilentProgress()
  listener.begin("generating", total: options.tokens, unit: "tokens")
  var tokens: [Int] = []
  while true {
    let token = sampler.next(run.logits)
    tokens.append(token)
    try output.append(token)
    listener.advance(to: tokens.count)
    if ends.contains(token) || tokens.count == options.tokens { break }
    try run.continue(with: token)
  }
  try output.finish()
  listener.end()
  return Generation(
    promptTokens: prompt.tokens,
    tokens: tokens,
    text: output.text,
    hasEnded: tokens.last.map(ends.contains) ?? false,
    promptSeconds: run.promptSeconds,
    decodingSeconds: run.decodingSeconds
  )
}

/// A model that is run on one sequence, with a watch.
struct GenerationRun {
  private var sequence: Continuation
  /// The logits of the next token.
  private(set) var logits: [Float] = []
  /// The time for the prompt, in seconds.
  private(set) var promptSeconds = 0.0
  /// The time for the tokens behind the prompt, in seconds.
  private(set) var decodingSeconds = 0.0

  /// A run at its start.
  ///
  /// - Parameters:
  ///   - model: The weights.
  ///   - length: The tokens of prompt and continuation.
  init(model: ResidentModel, length: Int) {
    sequence = Continuation(of: model, expecting: length)
  }

  /// Runs the prompt through the model.
  mutating func read(_ prompt: [Int], progress: any ProgressListener) throws {
    progress.begin("reading the prompt", total: prompt.count, unit: "tokens")
    let start = ContinuousClock.now
    // A prompt that is computed in parts anyway is handed over in them, to show how it goes on.
    for first in stride(from: 0, to: prompt.count, by: Continuation.tokensAtOnce) {
      let last = min(prompt.count, first + Continuation.tokensAtOnce)
      logits = try sequence.append(Array(prompt[first..<last]))
      progress.advance(to: last)
    }
    promptSeconds = start.duration(to: .now).seconds
    progress.end()
  }

  /// Runs one token through the model.
  mutating func `continue`(with token: Int) throws {
    let start = ContinuousClock.now
    logits = try sequence.append([token])
    decodingSeconds += start.duration(to: .now).seconds
  }
}

extension Duration {
  /// The length in seconds.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

extension OpenedModel {
  /// Reads all weights into memory.
  func resident(progress: any ProgressListener) throws -> ResidentModel {
    progress.begin("reading the weights", total: model.decoder.blocks, unit: "blocks")
    let resident = try ResidentModel(model) { progress.advance(to: $0) }
    progress.end()
    return resident
  }

  /// Refuses more tokens than a table of positions has; says so where a model is led beyond the
  /// length it was made for.
  func checkLength(prompt: Int, new: Int, progress: any ProgressListener) throws {
    let limit = model.decoder.positions
    let (length, overflow) = prompt.addingReportingOverflow(new)
    guard overflow || length > limit else { return }
    guard case .learned = model.decoder.position else {
      progress.note("this is longer than the \(limit) positions that the model was made for")
      return
    }
    throw JobError.badSetting(
      "a prompt of \(prompt) tokens and \(new) more exceed the model's \(limit) positions; "
        + "together they must not be more than \(limit)"
    )
  }
}
