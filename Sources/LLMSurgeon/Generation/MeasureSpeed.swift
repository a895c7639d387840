import ExactJSON
import Transformer

/// How fast a model reads and writes on this machine; medians of several runs.
public struct GenerationSpeed: Sendable, Equatable {
  /// The tokens of the prompt.
  public let promptTokens: Int
  /// The tokens that were generated.
  public let newTokens: Int
  /// The number of runs.
  public let repeats: Int
  /// The time for the prompt, up to the first token's logits, in seconds.
  public let promptSeconds: Double
  /// The time for all tokens behind the first generated one, in seconds.
  public let decodingSeconds: Double

  private var prompt: Speed { Speed(tokens: promptTokens, seconds: promptSeconds) }
  private var decoding: Speed { Speed(tokens: newTokens - 1, seconds: decodingSeconds) }

  /// Two lines for a person.
  public var text: String {
    """
    prompt      \(prompt.text)
    generation  \(decoding.text) (medians of \(repeats) runs)
    """
  }

  /// The time of a whole query, in seconds.
  public var seconds: Double { promptSeconds + decodingSeconds }

  /// The same as a JSON document.
  public var json: String {
    String(decoding: JSONWriter.write(value, indent: 2).dropLast(), as: UTF8.self)
  }

  /// The figures as a JSON value.
  var value: JSONValue {
    [
      "promptTokens": JSONValue(promptTokens), "newTokens": JSONValue(newTokens),
      "repeats": JSONValue(repeats), "promptSeconds": JSONValue(promptSeconds),
      "promptTokensPerSecond": prompt.json, "decodingSeconds": JSONValue(decodingSeconds),
      "decodingTokensPerSecond": decoding.json,
    ]
  }
}

/// Measures how fast a model reads a prompt and writes new tokens.
///
/// The prompt is made up: the time does not depend on what the tokens are. The most likely token
/// follows each time, whether it ends the text or not. One run that is not counted comes first.
///
/// - Parameters:
///   - model: A directory, or `org/name` in the local Hugging Face cache.
///   - promptTokens: The tokens of the prompt, at least 1.
///   - newTokens: The tokens to generate, at least 2: the first one comes with the prompt.
///   - repeats: The number of runs, at least 1.
///   - progress: Hears how it goes on.
/// - Returns: The medians.
/// - Throws: ``JobError``, or an error of the model or its files.
public func measureSpeed(
  model: String,
  promptTokens: Int = 128,
  newTokens: Int = 64,
  repeats: Int = 5,
  progress: any ProgressListener = SilentProgress()
) throws -> GenerationSpeed {
  guard promptTokens >= 1, newTokens >= 2, repeats >= 1 else {
    throw JobError.badSetting("a speed needs a prompt token, two new tokens and one run at least")
  }
  let query = Query(promptTokens: promptTokens, newTokens: newTokens)
  let opened = try OpenedModel(model)
  try opened.checkLength(prompt: promptTokens, new: newTokens, progress: progress)
  return try measureSpeed(of: opened, query, repeats: repeats, progress: progress)
}

/// Measures how fast a model answers a query that it can take.
func measureSpeed(
  of opened: OpenedModel,
  _ query: Query,
  repeats: Int = 5,
  progress: any ProgressListener
) throws -> GenerationSpeed {
  let (promptTokens, newTokens) = (query.promptTokens, query.newTokens)
  let weights = try opened.resident(progress: progress)
  let vocabulary = weights.decoder.vocabulary
  // Scattered over the vocabulary, so that the embeddings come from memory as those of a text do.
  let prompt = (0..<promptTokens).map { $0 % vocabulary * 7919 % vocabulary }
  progress.begin("measuring", total: repeats + 1, unit: "runs")
  var times: [(prompt: Double, decoding: Double)] = []
  for number in 0...repeats {
    var run = GenerationRun(model: weights, length: promptTokens + newTokens)
    var sampler = try TokenSampler(nil)
    try run.read(prompt, progress: SilentProgress())
    for _ in 1..<newTokens { try run.continue(with: sampler.next(run.logits)) }
    if number > 0 { times.append((run.promptSeconds, run.decodingSeconds)) }
    progress.advance(to: number + 1)
  }
  progress.end()
  return GenerationSpeed(
    promptTokens: promptTokens,
    newTokens: newTokens,
    repeats: repeats,
    promptSeconds: median(times.map(\.prompt)),
    decodingSeconds: median(times.map(\.decoding))
  )
}

/// The middle of some numbers, or the mean of the two in the middle; at least one number.
func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  let upper = sorted[sorted.count / 2]
  return sorted.count.isMultiple(of: 2) ? (sorted[sorted.count / 2 - 1] + upper) / 2 : upper
}
