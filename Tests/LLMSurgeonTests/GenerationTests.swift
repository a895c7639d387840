import DemonstrationModel
import ExactJSON
import Foundation
import Safetensors
import Tensors
import TestKit
import Testing

@testable import LLMSurgeon

/// What the reference implementation generates, from `Golden/generated.json`.
struct GeneratedRecord: Sendable, CustomTestStringConvertible {
  let model: String
  let prompt: [Int]
  let promptText: String?
  let tokens: [Int]
  let text: String?

  var testDescription: String { "\(model), \(promptText ?? "tokens")" }

  static func all() throws -> [GeneratedRecord] {
    let root = try #require(Bundle.module.resourceURL)
    let document = try json(root.appending(path: "Golden/generated.json"))
    return try #require(document.array).map { record in
      GeneratedRecord(
        model: try #require(record["model"]?.string),
        prompt: try #require(record["prompt"]?.array).compactMap(\.integer),
        promptText: record["promptText"]?.string,
        tokens: try #require(record["tokens"]?.array).compactMap(\.integer),
        text: record["text"]?.string
      )
    }
  }

  func path() throws -> String {
    model == "demo" ? DemonstrationModel.directory.path : try Fixture(model).url.path
  }

  /// The prompt as tokens in a file.
  func options(_ scratch: ScratchDirectory, tokens: Int? = nil) throws -> GenerationOptions {
    let file = scratch.url("prompt.safetensors")
    try TokenWindows(tokens: prompt, length: prompt.count, source: "").write(to: file)
    return GenerationOptions(
      model: try path(),
      prompt: .tokens(file),
      tokens: tokens ?? self.tokens.count,
      ignoresEndOfText: true
    )
  }
}

@Suite("Generation")
struct GenerationTests {
  static let records = (try? GeneratedRecord.all()) ?? []

  @Test("there is something to compare with")
  func golden() throws { #expect(try GeneratedRecord.all().count == 5) }

  @Test("the most likely tokens are those of the reference implementation", arguments: records)
  func greedy(record: GeneratedRecord) throws {
    let scratch = try ScratchDirectory()
    let result = try generate(try record.options(scratch))
    #expect(result.promptTokens == record.prompt)
    #expect(result.tokens == record.tokens)
    #expect(!result.hasEnded)
    if record.text != nil { #expect(result.text == record.text) }
  }

  @Test("a text prompt is tokenised as in the reference, and shown before the continuation")
  func text() throws {
    for record in Self.records {
      guard let prompt = record.promptText, let text = record.text else { continue }
      var shown: [String] = []
      let options = GenerationOptions(
        model: try record.path(),
        prompt: .text(prompt),
        tokens: record.tokens.count,
        ignoresEndOfText: true
      )
      let result = try generate(options) { shown.append($0) }
      #expect(result.promptTokens == record.prompt)
      #expect(result.text == text)
      #expect(shown.first == prompt)
      #expect(shown.joined() == prompt + text)
      #expect(shown.count > record.tokens.count / 2)
    }
  }

  @Test("fewer tokens are the beginning of more, and the figures agree")
  func prefix() throws {
    let scratch = try ScratchDirectory()
    let record = try #require(Self.records.first)
    let result = try generate(try record.options(scratch, tokens: 5))
    #expect(result.tokens == Array(record.tokens.prefix(5)))
    #expect(result.text == nil)
    let document = try JSONParser.parse(Array(result.json.utf8))
    #expect(document["tokens"]?.array?.count == 5)
    #expect(document["text"]?.isNull == true)
    let seconds = try #require(document["decodingSeconds"]?.double)
    #expect(document["decodingTokensPerSecond"]?.double == 4 / seconds)
    let single = try generate(try record.options(scratch, tokens: 1))
    #expect(single.tokens == Array(record.tokens.prefix(1)))
    #expect(single.decodingSeconds == 0)
    let short = try JSONParser.parse(Array(single.json.utf8))
    #expect(short["decodingTokensPerSecond"]?.isNull == true)
  }

  @Test("a model without a tokenizer shows the tokens' numbers")
  func numbers() throws {
    let scratch = try ScratchDirectory()
    let record = try #require(Self.records.first)
    var shown = ""
    _ = try generate(try record.options(scratch, tokens: 3)) { shown += $0 }
    let all = record.prompt + record.tokens.prefix(3)
    #expect(shown == all.map { "\($0) " }.joined())
  }

  @Test("draws repeat with their seed, and with top-k of one are the most likely")
  func sampling() throws {
    let scratch = try ScratchDirectory()
    let record = try #require(Self.records.first)
    func tokens(_ choice: SamplingChoice) throws -> [Int] {
      var options = try record.options(scratch)
      options.sampling = choice
      return try generate(options).tokens
    }
    #expect(try tokens(SamplingChoice(topK: 1)) == record.tokens)
    let drawn = try tokens(SamplingChoice(temperature: 2, seed: 5))
    #expect(try tokens(SamplingChoice(temperature: 2, seed: 5)) == drawn)
    #expect(try tokens(SamplingChoice(temperature: 2, seed: 6)) != drawn)
  }

  @Test("generation_config.json, then config.json, say where the text ends")
  func endOfText() throws {
    let scratch = try ScratchDirectory()
    let record = try #require(Self.records.first)
    let model = scratch.url("model")
    try FileManager.default.copyItem(at: Fixture(record.model).url, to: model)
    let end = try #require(record.tokens.firstIndex(of: 79))
    func tokens(_ file: String?) throws -> (tokens: [Int], hasEnded: Bool) {
      if let file { try scratch.write("model/generation_config.json", file) }
      var options = try record.options(scratch)
      options.model = model.path
      options.ignoresEndOfText = false
      let result = try generate(options)
      return (result.tokens, result.hasEnded)
    }
    var config = try #require(try json(model.appending(path: "config.json")).object)
    #expect(try tokens(nil).tokens == record.tokens)
    config["eos_token_id"] = 79
    let text = String(decoding: JSONWriter.write(.object(config), indent: 2), as: UTF8.self)
    try scratch.write("model/config.json", text)
    for file in [nil, "{\"eos_token_id\": 79}", "{\"eos_token_id\": [2, 79]}"] {
      let result = try tokens(file)
      #expect(result.tokens == Array(record.tokens.prefix(end + 1)) && result.hasEnded)
    }
    let other = try tokens("{\"eos_token_id\": 3}")
    #expect(other.tokens == record.tokens && !other.hasEnded)
    for broken in ["{\"eos_token_id\": \"x\"}", "{\"eos_token_id\": [-1]}", "{", "[]x"] {
      #expect(throws: JobError.self) { try tokens(broken) }
    }
  }

  @Test("what cannot be continued is refused")
  func refusals() throws {
    let scratch = try ScratchDirectory()
    let record = try #require(Self.records.first)
    func failure(_ change: (inout GenerationOptions) -> Void) throws -> String {
      var options = try record.options(scratch)
      change(&options)
      do {
        _ = try generate(options)
        return "none"
      } catch { return "\(error)" }
    }
    #expect(try failure { $0.tokens = 0 }.contains("at least one token"))
    #expect(try failure { $0.tokens = 56 } == "none")
    #expect(try failure { $0.tokens = 57 }.contains("64 positions"))
    #expect(try failure { $0.tokens = .max }.contains("64 positions"))
    #expect(try failure { $0.prompt = .text("a") }.contains("no tokenizer"))
    #expect(try failure { $0.sampling = SamplingChoice(topK: 0) }.contains("top-k"))
    for (tokens, length, word) in [
      ([1, 96], 2, "outside the vocabulary"), ([1, 2, 3, 4], 2, "one row"),
    ] {
      let file = scratch.url("bad.safetensors")
      try TokenWindows(tokens: tokens, length: length, source: "").write(to: file)
      #expect(try failure { $0.prompt = .tokens(file) }.contains(word))
    }
    let demo = GenerationOptions(model: DemonstrationModel.directory.path, prompt: .text(""))
    #expect(throws: JobError.self) { try generate(demo) }
  }

  @Test("a measurement of speed counts what it was asked for")
  func speed() throws {
    let model = try Fixture("llama3").url.path
    let speed = try measureSpeed(model: model, promptTokens: 200, newTokens: 3, repeats: 2)
    #expect(speed.promptTokens == 200 && speed.newTokens == 3 && speed.repeats == 2)
    #expect(speed.promptSeconds > 0 && speed.decodingSeconds > 0)
    let document = try JSONParser.parse(Array(speed.json.utf8))
    #expect(document["promptTokensPerSecond"]?.double == 200 / speed.promptSeconds)
    #expect(document["decodingTokensPerSecond"]?.double == 2 / speed.decodingSeconds)
    #expect(throws: JobError.self) { try measureSpeed(model: model, newTokens: 1) }
    #expect(throws: JobError.self) { try measureSpeed(model: model, promptTokens: 0) }
    #expect(throws: JobError.self) { try measureSpeed(model: model, repeats: 0) }
  }

  @Test("the median is the middle, or the mean of the two in the middle")
  func medians() {
    #expect(median([3]) == 3)
    #expect(median([5, 1, 3]) == 3)
    #expect(median([4, 1, 3, 100]) == 3.5)
  }
}
