extension ComparisonReport {
  /// The comparison as text for a terminal or a file: a table with the dense model on top.
  ///
  /// - Parameter style: The width, and whether colours and bars are shown.
  /// - Returns: Lines that end with line feeds.
  /// - Throws: ``ReportError`` if a value cannot be, such as NaN.
  package func terminalText(
    style: TerminalStyle = TerminalStyle()
  ) throws(ReportError) -> String {
    try validate()
    var table = TextTable(
      title: "\(title): \(model)",
      columns: [
        .init("structure", .left, shortestWidth: 12), .init("target", importance: 8),
        .init("method", .left, importance: 20), .init("removed", importance: 15),
        .init("perplexity", importance: 20), .init("vs dense", importance: 6),
        .init("time", importance: 5), .init("", .left, importance: 1, isAccented: true),
      ]
    )
    let widest = longestBar
    table.add(
      ["dense", "", "", "", Self.figure(densePerplexity), "", ""]
        + [style.bar(densePerplexity / widest, width: 16)],
      .bold
    )
    for (index, row) in rows.enumerated() {
      if index == 0 || rows[index - 1].structure != row.structure { table.addRule() }
      table.add([
        row.structure, Quantity.percent(row.target), row.method.rawValue,
        Quantity.percent(row.shareRemoved), Self.figure(row.perplexity),
        factor(of: row), row.seconds.map { Quantity.duration(seconds: $0) } ?? "–",
        style.bar(row.perplexity / widest, width: 16),
      ])
    }
    let protocolLines = protocolText.printable.wrapped(to: style.columns)
    return table.text(style: style) + protocolLines.map { style.dim($0) + "\n" }.joined()
  }

  /// A perplexity with four digits.
  static func figure(_ perplexity: Double) -> String { Quantity.figure(perplexity, digits: 4) }

  /// Bars end at this many times the dense perplexity, lest one failure flattens all others.
  static let longestFactor = 4

  /// The perplexity of a bar that fills the space.
  var longestBar: Double {
    min(
      rows.map(\.perplexity).reduce(densePerplexity, max),
      densePerplexity * Double(Self.longestFactor)
    )
  }

  /// How many times the dense perplexity, such as `1.10×`.
  func factor(of row: Row) -> String {
    Quantity.figure(row.perplexity / densePerplexity) + "×"
  }
}
