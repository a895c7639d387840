import ExactJSON
import Foundation
import Testing

@testable import Report

@Suite("Retraining reports")
struct RetrainingReportTests {
  /// A training of `steps` steps whose loss falls.
  private func report(steps: Int = 500, model: String = "tiny") -> RetrainingReport {
    var report = RetrainingReport(
      programVersion: "0.0.0",
      model: model,
      fingerprint: "abc",
      settings: TrainingRecord(
        groups: ["norms", "mask-lora"],
        steps: steps,
        learningRate: 0.001,
        schedule: "linear",
        warmUp: 0.1,
        finalRate: 0,
        weightDecay: 0,
        clip: 1,
        rank: 16,
        alpha: 32,
        seed: 7
      ),
      tokens: TokensRecord(source: "a.txt", windows: 10, length: 64, batch: 2, accumulation: 1),
      heldOut: HeldOutRecord("b.txt", 4, 64),
      trainedValues: 1_000,
      parameters: 100_000
    )
    report.course.steps = (0..<steps).map {
      .init(loss: 5 - Double($0) / Double(steps), rate: 0.001, gradientNorm: 1 / 3)
    }
    report.course.heldOut = [.init(step: 0, loss: 5), .init(step: steps, loss: 4)]
    report.writtenLoss = 4
    report.weights = 200
    report.zerosBefore = 100
    report.zerosAfter = 100
    return report
  }

  @Test("a course that is written reads back the same", arguments: [0, 1, 7])
  func course(steps: Int) throws {
    let course = report(steps: steps).course
    let bytes = JSONWriter.write(course.json)
    #expect(TrainingCourse(json: try JSONParser.parse(bytes)) == course)
    #expect(TrainingCourse(json: ["losses": [1]]) == nil)
  }

  @Test("a report that is written reads back the same")
  func reading() throws {
    let bytes = try report(steps: 5).json()
    let read = try RetrainingReport(try JSONParser.parse(bytes))
    #expect(read == report(steps: 5))
    #expect(try read.json() == bytes)
    #expect(throws: ReportError.self) { try RetrainingReport(["formatVersion": 1]) }
  }

  @Test("the text says what was trained and what it brought")
  func text() {
    let text = report().text
    #expect(text.contains("1,000 values trained, 1.0 % of the parameters"))
    #expect(text.contains("held-out perplexity 148.4 before, 54.60 after"))
    #expect(text.contains("100 of 200 weights are zero, 100 were before"))
  }

  @Test("the page draws at most so many places, every held-out point, and escapes names")
  func page() throws {
    let page = String(decoding: try report(model: "<b>x</b>").html(), as: UTF8.self)
    #expect(!page.contains("<b>x"))
    #expect(page.components(separatedBy: "<circle").count == 3)
    let start = try #require(page.range(of: "points=\""))
    let points = page[start.upperBound...].prefix { $0 != "\"" }.split(separator: " ")
    // 500 steps in places of four.
    #expect(points.count == 125)
    #expect(try report().html() == report().html())
  }

  @Test("a loss that is no number is refused by its place")
  func notFinite() {
    var broken = report(steps: 3)
    broken.course.steps[1] = .init(loss: .nan, rate: 1, gradientNorm: 1)
    #expect(throws: ReportError.self) { try broken.json() }
  }

  @Test("a window that is written reads back the same, and says whether it was kept")
  func window() throws {
    let window = ReconstructionReport.Window(
      name: "block 0, attention",
      before: 0.1,
      after: 0.2,
      isKept: false
    )
    #expect(ReconstructionReport.Window(json: window.json) == window)
    #expect(window.text == "block 0, attention: error 0.100 → 0.200, old values kept")
  }
}
