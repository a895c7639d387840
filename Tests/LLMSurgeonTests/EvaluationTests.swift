import DemonstrationModel
import ExactJSON
import Foundation
import Testing

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
}
