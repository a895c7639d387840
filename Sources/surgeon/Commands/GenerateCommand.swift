import ArgumentParser
import Foundation
import LLMSurgeon

/// The command `surgeon generate`.
struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Continues a prompt, or measures how fast the model does.",
    discussion: """
      Prompt and continuation go to standard output as they come. The most likely token follows \
      each time, unless --temperature, --top-k or --top-p is given; the same command gives the \
      same text. All weights are held in memory in single precision.
      """
  )

  @Argument(help: "The model.")
  var model: String

  @Option(help: "The text to continue, with the special tokens that the model's tokenizer adds.")
  var prompt: String?

  @Option(
    help: ArgumentHelp(
      "A safetensors file with an integer tensor 'tokens', one row, to continue as it stands.",
      valueName: "file"
    ),
    completion: .file()
  )
  var promptTokens: String?

  @Option(name: .long, help: "The most tokens to generate.")
  var tokens = 128

  @Flag(help: "Go on behind a token that ends the text.")
  var ignoreEos = false

  @OptionGroup(title: "Sampling")
  var sampling: SamplingOptions

  @OptionGroup(title: "Speed")
  var speed: SpeedOptions

  @Flag(help: "Print JSON: tokens, text, and the time for the prompt and for what follows.")
  var json = false

  @OptionGroup(title: "Run")
  var session: RunOptions

  func validate() throws {
    guard tokens >= 1 else { throw ValidationError("--tokens must be at least 1") }
    if speed.speed {
      guard prompt == nil, promptTokens == nil, sampling.choice == nil, !ignoreEos else {
        throw ValidationError("--speed makes its own prompt: leave the prompt and sampling out")
      }
      guard tokens >= 2 else { throw ValidationError("--speed needs --tokens of at least 2") }
    } else {
      _ = try promptChoice()
    }
  }

  func run() throws {
    try Session.run(session) { progress in
      guard !speed.speed else { return try measure(progress) }
      let options = GenerationOptions(
        model: model,
        prompt: try promptChoice(),
        tokens: tokens,
        sampling: sampling.choice,
        ignoresEndOfText: ignoreEos
      )
      if json {
        print(try generate(options, progress: progress).json)
      } else {
        let generation = try generate(options, progress: progress) { try Terminal.write($0) }
        try Terminal.write("\n")
        progress.note(generation.summary)
      }
    }
  }

  private func measure(_ progress: ProgressPrinter) throws {
    let result = try measureSpeed(
      model: model,
      promptTokens: speed.length,
      newTokens: tokens,
      repeats: speed.count,
      progress: progress
    )
    print(json ? result.json : result.text)
  }

  private func promptChoice() throws -> Prompt {
    switch (prompt, promptTokens) {
    case (let text?, nil): return .text(text)
    case (nil, let file?): return .tokens(URL(filePath: file))
    case (nil, nil): throw ValidationError("give --prompt TEXT or --prompt-tokens FILE")
    default: throw ValidationError("give --prompt or --prompt-tokens, not both")
    }
  }
}

/// How tokens are drawn.
struct SamplingOptions: ParsableArguments {
  @Option(help: "Draw the next token, logits divided by this; 0 takes the most likely one.")
  var temperature: Double?

  @Option(help: "Draw from this many of the most likely tokens.")
  var topK: Int?

  @Option(help: "Draw from the fewest tokens that together are at least so likely, such as 0.9.")
  var topP: Double?

  @Option(help: "The seed of the draws (0 unless given).")
  var seed: UInt64?

  /// How tokens are drawn, for the library; nil for the most likely one.
  var choice: SamplingChoice? {
    guard temperature != 0, temperature != nil || topK != nil || topP != nil else { return nil }
    return SamplingChoice(
      temperature: temperature ?? 1,
      topK: topK,
      topP: topP,
      seed: seed ?? 0
    )
  }

  func validate() throws {
    if let temperature, !(temperature >= 0 && temperature.isFinite) {
      throw ValidationError("--temperature is a number from 0 on, such as 0.8")
    }
    if let topK, topK < 1 { throw ValidationError("--top-k must be at least 1") }
    if let topP, !(topP > 0 && topP <= 1) {
      throw ValidationError("--top-p is a share above 0 and up to 1, such as 0.9")
    }
    guard choice != nil || (seed == nil && topK == nil && topP == nil) else {
      throw ValidationError("nothing is drawn: --seed, --top-k and --top-p need a --temperature")
    }
  }
}

/// The measurement of speed.
struct SpeedOptions: ParsableArguments {
  @Flag(help: "Measure the speed on a made-up prompt instead of generating text.")
  var speed = false

  @Option(help: "With --speed: the tokens of the prompt (128 unless given).")
  var promptLength: Int?

  @Option(help: "With --speed: the runs of which to take medians (5 unless given).")
  var repeats: Int?

  /// The tokens of the prompt.
  var length: Int { promptLength ?? 128 }
  /// The number of runs.
  var count: Int { repeats ?? 5 }

  func validate() throws {
    guard speed || (promptLength == nil && repeats == nil) else {
      throw ValidationError("--prompt-length and --repeats need --speed")
    }
    guard length >= 1 else { throw ValidationError("--prompt-length must be at least 1") }
    guard 1...1000 ~= count else { throw ValidationError("--repeats must be between 1 and 1000") }
  }
}
