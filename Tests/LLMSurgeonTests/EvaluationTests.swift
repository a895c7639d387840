import DemonstrationModel
import ExactJSON
import Foundation
import LinearAlgebra
import Safetensors
import Tensors
import TestKit
import Testing
import Transformer

@testable import LLMSurgeon

@Suite("Evaluation")
struct EvaluationTests {
  @Test("the perplexity of a text is not the mean of its windows' perplexities, and both are told")
  func perplexities() throws {
    let windows = TokenWindows(tokens: [1, 2, 3, 4], length: 2, source: "example")
    let evaluation = Evaluation([log(2), log(8)], of: windows)
    #expect(abs(evaluation.perplexity - 4) <= 1e-12)
    #expect(abs(evaluation.meanWindowPerplexity - 5) <= 1e-12)
    #expect(evaluation.text.contains("perplexity 4.000"))
    #expect(evaluation.text.contains("mean of the windows' own perplexities 5.000"))
    let document = try JSONParser.parse(Array(evaluation.json.utf8))
    #expect(document["meanWindowPerplexity"]?.double == evaluation.meanWindowPerplexity)
  }

  @Test("windows of a text follow each other without overlap and without padding")
  func packed() throws {
    let path = DemonstrationModel.directory.path
    let input = TokenInput.text([DemonstrationModel.calibrationText])
    let opened = try OpenedModel(path)
    func windows(_ length: Int, _ count: Int?) throws -> TokenWindows {
      try input.leadingWindows(
        count: count,
        length: length,
        longest: opened.usualLength,
        tokenizer: opened.directoryURL
      )
    }
    let whole = try windows(96, 1).tokens
    #expect(try windows(24, 4).tokens == whole)
    // All the text's windows: no token is made up to fill a last one.
    let all = try windows(24, nil)
    #expect(all.tokens.count == all.count * 24)
    #expect(try windows(25, nil).tokens.prefix(24 * 4) == all.tokens.prefix(24 * 4))
  }

  @Test("a file of logits has those of each window, as if all were written at once")
  func logits() throws {
    let (scratch, fixture) = (try ScratchDirectory(), try Fixture("llama"))
    let listener = Snapshots()
    let options = EvaluationOptions(
      model: fixture.url.path,
      input: fixture.input,
      logits: scratch.url("logits")
    )
    let evaluation = try evaluate(options, progress: listener)
    let model = try OpenedModel(fixture.url.path).model
    let tokens = try fixture.expected().integers("tokens")
    #expect(evaluation.windows == 2 && tokens.count == 2 * evaluation.length)
    var values: [Float] = []
    for first in stride(from: 0, to: tokens.count, by: evaluation.length) {
      let window = Array(tokens[first..<first + evaluation.length])
      values += try model.logits(TokenSequences(tokens: window, length: window.count)).storage
    }
    let shape = [evaluation.windows, evaluation.length, model.decoder.vocabulary]
    let description = TensorDescription(elementType: .float32, shape: shape)
    let tensor = SafetensorsWriter.Tensor("logits", description, floats: { [values] in values })
    try SafetensorsWriter.write([tensor], to: scratch.path("whole"))
    #expect(try scratch.read("logits") == scratch.read("whole"))
    #expect(try scratch.names() == ["logits", "whole"])
    // What was measured is told before the file is written.
    let perplexity = String(format: "%.3f", evaluation.perplexity)
    #expect(listener.notes.contains { $0.hasPrefix("perplexity \(perplexity)") })
  }

  @Test("a file of logits replaces nothing; that is said before the model is looked for")
  func refusedLogits() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("kept", "content")
    func evaluation(_ name: String) throws -> Evaluation {
      let input = TokenInput.text([DemonstrationModel.calibrationText])
      let model = scratch.path("no-model")
      return try evaluate(
        EvaluationOptions(model: model, input: input, logits: scratch.url(name))
      )
    }
    let reason = "it exists; remove it or choose another name"
    #expect(throws: JobError.unwritable(path: scratch.path("kept"), reason: reason)) {
      try evaluation("kept")
    }
    #expect(throws: FileError.self) { try evaluation("no-folder/logits") }
    #expect(try scratch.read("kept") == Array("content".utf8))
    #expect(try scratch.names() == ["kept"])
  }
}
