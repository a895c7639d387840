import Testing

@testable import Report

@Suite("Widths and speed")
struct WidthTests {
  private func report() -> PruningReport {
    var report = Example.report(blocks: 2)
    report.widths = [3, 1].map { kept in
      WidthRecord(
        heads: WidthRecord.Width(whole: 8, kept: 2 * kept),
        keyValueHeads: WidthRecord.Width(whole: 4, kept: kept),
        neurons: WidthRecord.Width(whole: 1704, kept: 1100 + kept)
      )
    }
    report.speed = SpeedRecord(tokens: 128, denseSeconds: 0.75, prunedSeconds: 0.5)
    report.speed?.target = 1.4
    return report
  }

  @Test("what is written reads back the same")
  func roundTrip() throws {
    #expect(try PruningReport(json: report().json()) == report())
  }

  @Test("text and page show the widths of each block and the predicted speed")
  func shown() throws {
    let text = try report().terminalText()
    let page = String(decoding: try report().html(), as: UTF8.self)
    for word in ["6 of 8", "3 of 4", "2 of 8", "1 of 4"] {
      #expect(text.contains(word), "\(word)")
      #expect(page.contains(word), "\(word)")
    }
    #expect(text.contains("1.50 × for a prompt of 128 tokens (target 1.40)"))
    #expect(page.contains("1.50 ×"))
    let plain = try Example.report(blocks: 2).terminalText()
    #expect(!plain.contains("Kept heads") && !plain.contains("predicted speed"))
  }

  @Test(
    "what cannot be is refused with its place",
    arguments: [
      (#""headsKept": 6"#, #""headsKept": 9"#, "widths[0].headsKept"),
      (#""neuronsKept": 1101"#, #""neuronsKept": -1"#, "widths[1].neuronsKept"),
      (#""keyValueHeads": 4"#, #""keyValueHeads": 0"#, "widths[0].keyValueHeads"),
      (#""keyValueHeads": 4"#, #""groups": 4"#, "widths[0].groups"),
      (#""denseSeconds": 0.75"#, #""denseSeconds": 0"#, "speed.denseSeconds"),
      (#""prunedSeconds": 0.5"#, #""prunedSeconds": -1"#, "speed.prunedSeconds"),
      (#""predictedSpeedup": 1.5"#, #""predictedSpeedup": 1.6"#, "speed.predictedSpeedup"),
      (#""target": 1.4"#, #""target": "1.4x""#, "speed.target"),
      (#""blocks": 2"#, #""blocks": 3"#, "widths"),
    ]
  )
  func refused(original: String, replacement: String, path: String) throws {
    let text = String(decoding: try report().json(), as: UTF8.self)
    try #require(text.contains(original))
    let changed = text.replacing(original, with: replacement, maxReplacements: 1)
    let error = #expect(throws: ReportError.self) {
      try PruningReport(json: Array(changed.utf8))
    }
    #expect(error?.description.contains("`\(path)`") == true, "\(String(describing: error))")
  }
}
