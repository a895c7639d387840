import ExactJSON
import Report
import Testing

@Suite("Report as JSON")
struct JSONFormatTests {
  @Test("a report survives writing and reading", arguments: [0, 1, 2, 80])
  func roundTrip(blocks: Int) throws {
    let report = Example.report(blocks: blocks)
    #expect(try PruningReport(json: try report.json()) == report)
  }

  @Test("a report without the optional parts survives writing and reading")
  func bareRoundTrip() throws {
    var report = Example.report(blocks: 1)
    report.calibration = nil
    report.loss = LossRecord()
    report.shots = []
    report.notes = []
    report.run = nil
    #expect(try PruningReport(json: try report.json()) == report)
  }

  @Test("equal runs give equal bytes but for the part that says when and how fast")
  func determinism() throws {
    let first = Example.report(blocks: 3)
    var second = first
    second.run = RunRecord(date: "2031-12-31T23:59:59Z", phases: [.init("pruning", seconds: 1)])
    #expect(try first.json() != second.json())
    let (left, right) = try (document(first), document(second))
    #expect(without("run", left) == without("run", right))
  }

  @Test("the summary holds what the layers add up to")
  func summary() throws {
    let report = Example.report(blocks: 2) { _, place in place < 2 ? 1 : 0 }
    let summary = try #require(try document(report)["summary"])
    // Each block has 4 matrices of 64 × 64 and 3 of 64 × 256; q and k are removed.
    #expect(summary["weights"]?.integer == 2 * (4 * 4096 + 3 * 16384))
    #expect(summary["weightsKept"]?.integer == 2 * (2 * 4096 + 3 * 16384))
    #expect(summary["shareRemoved"]?.double == 4.0 / 32)
    #expect(summary["measuredRise"]?.double == 4.2102 - 4.1160)
  }

  @Test("another format version is refused by its number, whatever else the document holds")
  func version() throws {
    let error = #expect(throws: ReportError.self) {
      try PruningReport(json: Array(#"{"formatVersion": 2, "tomorrow": []}"#.utf8))
    }
    #expect(error == .unsupportedVersion(2, supported: 1))
    #expect(error?.description.contains("format version 2") == true)
  }

  @Test(
    "a value that cannot be is refused by its place",
    arguments: [
      (#""block": 0"#, #""block": -1"#, "layers[0].block"),
      (#""outputs": 64"#, #""outputs": 9223372036854775807"#, "layers[0].outputs"),
      (#""inputs": 64"#, #""inputs": 0"#, "layers[0].inputs"),
      (#""rowsKept": 64"#, #""rowsKept": 65"#, "layers[0].rowsKept"),
      (#""weightsKept": 4096"#, #""weightsKept": 4097"#, "layers[0].weightsKept"),
      (#""hasBias": false"#, #""hasBias": 0"#, "layers[0].hasBias"),
      (#""dampingGradients": 0.1"#, #""dampingGradients": -0.1"#, "layers[0].dampingGradients"),
      (#""lossRepaired": 0.0"#, #""lossRepaired": 1e999"#, "layers[0].lossRepaired"),
      (#""targetShare": 0.5"#, #""targetShare": 1.5"#, "settings.targetShare"),
      (#""method": "surgeon""#, #""method": "axe""#, "settings.method"),
      (#""labels": "empirical""#, #""labels": null"#, "calibration.labels"),
      (#""seed": 7"#, #""seed": 7.0"#, "calibration.seed"),
      (#""dense": 4.116"#, #""dense": "4.116""#, "loss.dense"),
      (#""number": 1"#, #""number": 2"#, "shots[0].number"),
      (#""elementType": "float16""#, #""elementType": """#, "model.elementType"),
      (#""steps": 1"#, #""stops": 1"#, "settings.stops"),
      (#""k_proj""#, #""k_proj", "experts": 8"#, "layers[1].experts"),
      (#""name": "surgeon""#, #""name": "axe""#, "program.name"),
      (#""seconds": 72.4"#, #""seconds": -1"#, "run.phases[0].seconds"),
      (#".0.self_attn.k_proj""#, #".0.self_attn.q_proj""#, "layers[1].name"),
      (#""shareRemoved": 0."#, #""shareRemoved": 1."#, "summary.shareRemoved"),
    ]
  )
  func refused(original: String, replacement: String, path: String) throws {
    let text = String(decoding: try Example.report(blocks: 1).json(), as: UTF8.self)
    try #require(text.contains(original))
    let changed = text.replacing(original, with: replacement, maxReplacements: 1)
    let error = #expect(throws: ReportError.self) {
      try PruningReport(json: Array(changed.utf8))
    }
    #expect(error?.description.contains("`\(path)`") == true, "\(String(describing: error))")
  }

  @Test("every member but the optional ones must be there")
  func missing() throws {
    let document = try document(Example.report(blocks: 1))
    let members = try #require(document.object).members
    for (key, _) in members where !["calibration", "run"].contains(key.string) {
      let bytes = JSONWriter.write(without(key, document))
      #expect(throws: ReportError.missing(path: key.string)) { try PruningReport(json: bytes) }
    }
  }

  @Test("a document cut off anywhere is refused")
  func cutOff() throws {
    let bytes = try Example.report(blocks: 1).json()
    // The last byte is the final line feed, which may be missing.
    for length in stride(from: 0, to: bytes.count - 1, by: 97) {
      #expect(throws: ReportError.self) { try PruningReport(json: Array(bytes[..<length])) }
    }
  }

  @Test("NaN and infinity are neither written nor shown", arguments: [Double.nan, .infinity])
  func notFinite(value: Double) {
    var report = Example.report(blocks: 1)
    report.layers[2].predictedRise = value
    #expect(throws: ReportError.self) { try report.json() }
    #expect(throws: ReportError.self) { try report.html() }
    #expect(throws: ReportError.self) { try report.terminalText() }
  }

  private func document(_ report: PruningReport) throws -> JSONValue {
    try JSONParser.parse(try report.json())
  }

  private func without(_ key: JSONText, _ document: JSONValue) -> JSONValue {
    var object = document.object ?? JSONObject()
    object[key] = nil
    return .object(object)
  }
}
