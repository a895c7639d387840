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
      body += Page.heading(
        "\(report.settings.structure), \(report.settings.method.rawValue), "
          + "\(Quantity.percent(report.total.shareRemoved)) removed"
      )
      body += .element("p", text: report.sentence)
      body += report.pictures(identifier: "picture\(index)")
    }
    return Page.render(title: "\(title): \(model)", body: body, footer: footer)
  }

  /// What the reader sees first.
  private var sentence: String {
    let dense = "Before pruning, the perplexity is \(Self.figure(densePerplexity))"
    guard let best = rows.min(by: { $0.perplexity < $1.perplexity }) else { return dense + "." }
    let models = rows.count == 1 ? "the pruned model" : "the best of \(rows.count) pruned models"
    return dense + "; lower is better. That of \(models) is \(Self.figure(best.perplexity)), with "
      + "\(Quantity.percent(best.shareRemoved)) of the prunable weights removed "
      + "(structure \(best.structure), method \(best.method.rawValue))."
  }

  private var table: HTMLTable {
    // A column of dashes would say nothing.
    let isTimed = rows.contains { $0.seconds != nil }
    var table = HTMLTable(
      label: "Perplexity of each way of pruning",
      columns: [
        .text("Structure"), .number("Target"), .text("Method"), .number("Removed"),
        .number("Perplexity"), .number("Against dense"),
      ] + (isTimed ? [.number("Time")] : [])
    )
    table.add(
      ["Dense, not pruned", "", "", "", Self.figure(densePerplexity), ""] + (isTimed ? [""] : []),
      isStrong: true
    )
    for row in rows {
      let time = row.seconds.map { Quantity.duration(seconds: $0) } ?? "–"
      table.add(
        [
          row.structure, Quantity.percent(row.target), row.method.rawValue,
          Quantity.percent(row.shareRemoved), Self.figure(row.perplexity), factor(of: row),
        ] + (isTimed ? [time] : [])
      )
    }
    return table
  }

  private var footer: String {
    let versions = Set(reports.map(\.programVersion)).sorted()
    return (["surgeon"] + versions).joined(separator: " ")
  }
}
