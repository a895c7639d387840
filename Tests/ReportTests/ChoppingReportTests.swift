import ExactJSON
import Testing

@testable import Report

@Suite("Reports of removals with training")
struct ChoppingReportTests {
  private func report(distillation: ChoppingReport.Distillation? = nil) -> ChoppingReport {
    var record = TrainingRecord(
      groups: ["full"],
      steps: 3,
      learningRate: 3e-4,
      schedule: "cosine",
      warmUp: 0.1,
      finalRate: 0.1,
      weightDecay: 0.1,
      clip: nil,
      rank: nil,
      alpha: nil,
      seed: 1
    )
    record.squareDecay = 0.95
    var training = RetrainingReport(
      programVersion: "0.0.0",
      model: "tiny",
      fingerprint: "abc",
      settings: record,
      tokens: TokensRecord(source: "a.txt", windows: 10, length: 64, batch: 2, accumulation: 1),
      heldOut: HeldOutRecord("b.txt", 4, 64),
      trainedValues: 60,
      parameters: 100
    )
    training.course.steps = (0..<4).map { step in
      .init(
        loss: 5 - Double(step),
        rate: 1e-4,
        gradientNorm: 1,
        divergence: distillation == nil || step == 0 ? nil : 0.5,
        hiddenError: nil
      )
    }
    training.course.heldOut = [.init(step: 0, loss: 3), .init(step: 4, loss: 4)]
    training.course.cuts = [.init(step: 1, blocks: [1, 2], lossBefore: 3, lossAfter: 6)]
    training.writtenLoss = 4
    return ChoppingReport(
      removal: .init(
        scheme: "input",
        removed: [1, 2],
        kept: [0, 3],
        stepsBefore: 1,
        interval: 0
      ),
      sizes: .init(
        parameters: .init(before: 100, after: 60),
        bytes: .init(before: 200, after: 120),
        keyValueBytesPerToken: .init(before: 8, after: 4)
      ),
      distillation: distillation,
      training: training
    )
  }

  @Test(
    "a report that is written reads back the same",
    arguments: [nil, ChoppingReport.Distillation(logits: 1, hidden: 0.5)]
  )
  func reading(distillation: ChoppingReport.Distillation?) throws {
    let report = report(distillation: distillation)
    let bytes = try report.json()
    let read = try ChoppingReport(try JSONParser.parse(bytes))
    #expect(read == report)
    #expect(try read.json() == bytes)
  }

  @Test("a damaged report is refused by the place of the fault")
  func damaged() throws {
    let document = try #require(try JSONParser.parse(try report().json()).object)
    for (key, value, place) in [
      ("removal", nil, "removal"), ("bytes", ["before": 1], "bytes.after"),
      ("course", ["losses": [1]], "course"), ("formatVersion", 2, "version"),
      ("extra", 1, "extra"), ("training", 3, "training"),
    ] as [(JSONText, JSONValue?, String)] {
      var changed = document
      changed[key] = value
      do {
        _ = try ChoppingReport(.object(changed))
        Issue.record("\(place) was let pass")
      } catch { #expect("\(error)".contains(place), "\(error)") }
    }
  }

  @Test("the text and the page say what went and what it cost")
  func text() throws {
    let lines = Dictionary(uniqueKeysWithValues: report().lines.map { ($0.name, $0.value) })
    #expect(lines["removed"] == "2 blocks by input, at once after 1 step: 1 2")
    #expect(lines["kept blocks"] == "0 3 (numbered from 0)")
    #expect(
      lines["perplexity"]
        == "20.09 before the removal, 403.4 after it, 54.60 written (on b.txt)"
    )
    let page = String(decoding: try report().html(), as: UTF8.self)
    #expect(page.contains("Upright lines: blocks were removed."))
    #expect(page.contains("removed blocks 1 2 after step 1: held-out perplexity 20.09 → 403.4"))
  }
}
