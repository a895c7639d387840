extension ComparisonReport {
  /// The comparison as one self-contained HTML page: a chart, a table, and each report's pictures.
  ///
  /// - Returns: The page in UTF-8; the same bytes for the same comparison.
  /// - Throws: ``ReportError`` if a value cannot be, such as NaN.
  package func html() throws(ReportError) -> [UInt8] {
    try validate()
    let chart = ComparisonChart(of: self)
    var body = Markup(
      PageTemplate.comparison,
      Fields([
        "title": Markup(text: title), "model": Markup(text: model),
        "sentence": Markup(text: sentence), "chart": chart.svg,
        "caption": Markup(text: chart.caption),
      ])
    )
    body += Page.table(table)
    if !protocolText.isEmpty { body += .element("p", ["class": "soft"], text: protocolText) }
    for (index, report) in reports.enumerated() {
      body += Page.heading("\(report.settings.structure), \(report.settings.method.rawValue)")
      body += .element("p", text: report.sentence)
      body += report.pictures(identifier: "picture\(index)")
    }
    return Page.render(title: "\(title): \(model)", body: body, footer: footer)
  }

  /// What the reader sees first.
  private var sentence: String {
    let dense = "Before pruning, the perplexity is \(Quantity.figure(densePerplexity))"
    guard let best = rows.min(by: { $0.perplexity < $1.perplexity }) else { return dense + "." }
    return dense + "; lower is better. The best of \(rows.count) ways of pruning is "
      + "\(best.structure) with \(best.method.rawValue): "
      + "\(Quantity.percent(best.shareRemoved)) of the prunable weights removed, perplexity "
      + "\(Quantity.figure(best.perplexity))."
  }

  private var table: HTMLTable {
    var table = HTMLTable(
      label: "Perplexity of each way of pruning",
      columns: [
        .name("Structure"), .number("Target"), .text("Method"), .number("Removed"),
        .number("Perplexity"), .number("Against dense"), .number("Time"),
      ]
    )
    table.add(
      ["Dense, not pruned", "", "", "", Quantity.figure(densePerplexity), "", ""],
      isStrong: true
    )
    for row in rows {
      table.add([
        row.structure, Quantity.percent(row.target), row.method.rawValue,
        Quantity.percent(row.shareRemoved), Quantity.figure(row.perplexity), factor(of: row),
        row.seconds.map { Quantity.duration(seconds: $0) } ?? "–",
      ])
    }
    return table
  }

  private var footer: String {
    let versions = Set(reports.map(\.programVersion)).sorted()
    return (["surgeon"] + versions).joined(separator: " ")
  }
}
