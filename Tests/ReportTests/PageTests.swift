import Foundation
import Report
import Testing

@Suite("Pages")
struct PageTests {
  private func page(_ report: PruningReport) throws -> String {
    String(decoding: try report.html(), as: UTF8.self)
  }

  @Test("the same report gives the same page")
  func determinism() throws {
    let report = Example.report(blocks: 5)
    #expect(try report.html() == report.html())
  }

  @Test("a page loads nothing and runs nothing")
  func selfContained() throws {
    let page = try page(Example.report(blocks: 2))
    for word in [
      "http://", "https://", "<script", "<link", "<img", "@import", "url(h", "{{", "}}}",
    ] {
      #expect(!page.contains(word), "\(word)")
    }
    #expect(page.contains("script-src 'none'"))
  }

  @Test(
    "hostile names stay text",
    arguments: [
      "<script>alert(1)</script>", "\" onload=\"alert(1)", "' onload='alert(1)",
      // Marks that combine with the character before them must not hide it.
      "<\u{301}script>", "\"\u{301} onload=\"\u{301}alert(1)", "&lt;b&gt;", "{{{title}}}",
      "\u{202E}\u{0}x",
    ]
  )
  func escaping(name: String) throws {
    let harmless = try page(hostile(named: "harmless"))
    let page = try page(hostile(named: name))
    // Text changes neither the number of tags nor that of attributes.
    for byte in [UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\"")] {
      #expect(page.utf8.count { $0 == byte } == harmless.utf8.count { $0 == byte })
    }
    #expect(!page.unicodeScalars.contains { $0 == "\u{0}" || $0 == "\u{202E}" })
  }

  /// A report with the same text in every place that takes one.
  private func hostile(named name: String) -> PruningReport {
    var report = Example.report(blocks: 1, kinds: ["a"])
    report.programVersion = name
    report.model.name = name
    report.model.family = name
    report.model.elementType = name
    report.model.fingerprint = name
    report.settings.structure = name
    report.calibration?.fingerprint = name
    report.layers[0].name = name
    report.layers[0].kind = name
    report.notes = [name]
    report.run = RunRecord(date: name, phases: [.init(name, seconds: 1)])
    return report
  }

  @Test("every square of the picture has the figures of its layer", arguments: [1, 2, 6, 80])
  func picture(blocks: Int) throws {
    let report = Example.report(blocks: blocks)
    let squares = try page(report).matches(of: Self.square).map(\.output)
    // Both pictures hold every layer once.
    #expect(squares.count == 2 * report.layers.count)
    let layers = Dictionary(
      uniqueKeysWithValues: report.layers.map { ("Block \($0.block), \($0.kind)", $0) }
    )
    for square in squares {
      let layer = try #require(layers[String(square.1)])
      #expect(Double(square.2) == layer.shareRemoved)
      #expect(Double(square.3) == layer.predictedRise)
      #expect(square.4.hasPrefix(Quantity.percent(layer.shareRemoved)))
      #expect(square.4.hasSuffix(Quantity.nats(layer.predictedRise)))
      #expect(Self.styleClasses(of: layer, in: report).contains(String(square.5)))
    }
  }

  private static var square:
    Regex<(Substring, Substring, Substring, Substring, Substring, Substring)>
  {
    #/<g class="cell" data-place="([^"]*)" data-share="([^"]*)" data-rise="([^"]*)"><title>[^:]*: ([^<]*)<\/title><rect class="([^"]*)"/#
  }

  /// The colours that a layer may have in the two pictures: steps of a fiftieth.
  private static func styleClasses(of layer: LayerRecord, in report: PruningReport) -> [String] {
    let largest = report.layers.map(\.predictedRise).max() ?? 1
    let rise = largest > 0 ? layer.predictedRise / largest : 0
    return [
      "s\(Int((layer.shareRemoved * 50).rounded()))", "r\(Int((rise * 50).rounded()))",
    ]
  }

  @Test("numbers stand in the squares where they fit", arguments: [(6, "30.0 %"), (32, "30")])
  func numbers(blocks: Int, text: String) throws {
    let report = Example.report(blocks: blocks) { _, _ in 0.3 }
    let shown = try page(report).matches(of: #/class="number s15"[^>]*>([^<]*)</#)
    #expect(shown.count == report.layers.count)
    #expect(shown.allSatisfy { $0.output.1 == text })
  }

  @Test("nothing and everything removed give a page", arguments: [0.0, 1.0])
  func extremes(share: Double) throws {
    let page = try page(Example.report(blocks: 2) { _, _ in share })
    #expect(page.contains("<b>\(Quantity.percent(share))</b>"))
  }

  @Test("text on every step of the colour scale has the contrast that WCAG asks of small text")
  func contrast() throws {
    let page = try page(Example.report(blocks: 1))
    let rules = page.matches(
      of: #/\.[sr]\d+\{fill:#([0-9a-f]{6});stop-color:#[0-9a-f]{6};color:#(000|fff)\}/#
    )
    #expect(rules.count == 2 * 2 * 51)  // Two scales, light and dark.
    for rule in rules {
      let luminance = Self.luminance(try #require(Int(rule.output.1, radix: 16)))
      let ink = rule.output.2 == "fff" ? 1.0 : 0
      let contrast = (max(luminance, ink) + 0.05) / (min(luminance, ink) + 0.05)
      #expect(contrast >= 4.5)
    }
  }

  /// The relative luminance as WCAG 2.2 defines it.
  private static func luminance(_ code: Int) -> Double {
    zip([16, 8, 0], [0.2126, 0.7152, 0.0722]).reduce(0) { sum, channel in
      let value = Double((code >> channel.0) & 0xFF) / 255
      let linear = value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
      return sum + channel.1 * linear
    }
  }

  @Test("a comparison has a bar for each row and both pictures of each report")
  func comparison() throws {
    let rows = PruningMethod.allCases.prefix(4).enumerated().map { index, method in
      ComparisonReport.Row(
        structure: "2:4",
        target: 0.5,
        method: method,
        perplexity: 62.5 * Double(1 + index * 2),
        shareRemoved: 0.5
      )
    }
    let comparison = ComparisonReport(
      title: "Ways <of> pruning",
      model: "tiny",
      densePerplexity: 60,
      rows: rows,
      reports: [Example.report(blocks: 2), Example.report(blocks: 3)]
    )
    let page = String(decoding: try comparison.html(), as: UTF8.self)
    let bars = page.matches(of: #/data-perplexity="([^"]*)"/#).map { Double($0.output.1) }
    #expect(bars == rows.map(\.perplexity))
    #expect(page.matches(of: #/class="cell"/#).count == 2 * 7 * (2 + 3))
    let torn = rows.count { $0.perplexity > 4 * 60 }  // Longer than four times the dense.
    #expect(page.matches(of: #/class="tear"/#).count == torn)
    let identifiers = page.matches(of: #/ id="([^"]*)"/#).map(\.output.1)
    #expect(Set(identifiers).count == identifiers.count)
    #expect(!page.contains("<of>"))
  }

  @Test("a perplexity below 1 or not finite is refused", arguments: [0.5, .nan, .infinity])
  func impossible(perplexity: Double) {
    let comparison = ComparisonReport(
      title: "t",
      model: "m",
      densePerplexity: perplexity,
      rows: []
    )
    #expect(throws: ReportError.self) { try comparison.html() }
    #expect(throws: ReportError.self) { try comparison.terminalText() }
  }
}
