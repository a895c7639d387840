extension PruningReport {
  /// The report as text for a terminal or a file.
  ///
  /// - Parameters:
  ///   - style: The width, and whether colours and bars are shown.
  ///   - listsLayers: Whether every layer gets a line, or only blocks and kinds.
  /// - Returns: Lines that end with line feeds.
  /// - Throws: ``ReportError`` if a value cannot be, such as NaN.
  package func terminalText(
    style: TerminalStyle = TerminalStyle(),
    listsLayers: Bool = true
  ) throws(ReportError) -> String {
    try validate()
    var parts = [heading(style)]
    if shots.count > 1 { parts.append(shotTable.text(style: style)) }
    if listsLayers { parts.append(layerTable(style).text(style: style)) }
    parts.append(blockTable(style).text(style: style))
    parts.append(kindTable(style).text(style: style))
    if !widths.isEmpty { parts.append(widthTable.text(style: style)) }
    parts.append(summaryTable(style).text(style: style))
    if !notes.isEmpty { parts.append(noteText(style)) }
    return parts.joined(separator: "\n")
  }

  private func heading(_ style: TerminalStyle) -> String {
    let lines = [modelLine, settingsLine] + (calibration.map { [$0.sentence] } ?? [])
    let title = "Pruning report: \(model.name)".printable.shortened(to: style.columns)
    return style.bold(title) + "\n"
      + lines.flatMap { $0.printable.wrapped(to: style.columns) }.map { $0 + "\n" }.joined()
  }

  private var shotTable: TextTable {
    var table = TextTable(
      title: "Shots (losses in nats per token)",
      columns: ["shot", "target", "removed", "predicted rise", "loss before"].map { .init($0) }
        + (hasHeldOut ? [.init("held-out perplexity")] : [])
    )
    for row in shotTexts { table.add(row) }
    return table
  }

  private var widthTable: TextTable {
    var table = TextTable(
      title: "Kept heads and neurons",
      columns: [
        .init("block"), .init("query heads"), .init("key-value heads"), .init("neurons"),
      ]
    )
    for row in widthTexts { table.add(row) }
    return table
  }

  private func layerTable(_ style: TerminalStyle) -> TextTable {
    let prefix = commonPrefix
    var table = TextTable(
      title: (prefix.isEmpty ? "Layers" : "Layers in \(prefix)")
        + (costUnit.map { " (\($0))" } ?? ""),
      columns: [
        .init("layer", .left, shortestWidth: 20), .init("size", importance: 8),
        .init("kept rows", importance: 4),
        .init("kept columns", importance: 4), .init("removed", importance: 20),
      ] + costColumns + (isDamped ? [.init("damping A, G", importance: 2)] : []) + [
        .init("", .left, importance: 3, isAccented: true)
      ]
    )
    for (layer, costs) in zip(layers, layerCosts) {
      table.add(
        [
          String(layer.name.dropFirst(prefix.count)), layer.size, "\(layer.rowsKept)",
          "\(layer.columnsKept)", Quantity.percent(layer.shareRemoved),
        ] + costs + (isDamped ? [layer.damping] : []) + [style.bar(layer.shareRemoved, width: 10)]
      )
    }
    return table
  }

  private var costColumns: [TextTable.Column] {
    guard costUnit != nil else { return [] }
    guard predictsLoss else {
      return [.init("zeroed only", importance: 5), .init("output error", importance: 6)]
    }
    return [
      .init("predicted rise", importance: 20), .init("zeroed only", importance: 5),
      .init("repaired", importance: 6),
    ]
  }

  private func blockTable(_ style: TerminalStyle) -> TextTable {
    sumTable("block", sumsByBlock.map { ("\($0.block)", $0.sum) }, .right, style)
  }

  private func kindTable(_ style: TerminalStyle) -> TextTable {
    sumTable("kind", sumsByKind.map { ($0.kind, $0.sum) }, .left, style)
  }

  private func sumTable(
    _ name: String,
    _ sums: [(label: String, sum: LayerSum)],
    _ alignment: TextTable.Alignment,
    _ style: TerminalStyle
  ) -> TextTable {
    let rises = DecimalColumn(sums.map(\.sum.predictedRise))
    var table = TextTable(
      title: "By \(name)",
      columns: [
        .init(name, alignment, shortestWidth: 8), .init("weights", importance: 5),
        .init("kept", importance: 4), .init("removed"),
      ] + (predictsLoss ? [.init("predicted rise")] : []) + [
        .init("", .left, importance: 1, isAccented: true)
      ]
    )
    for (label, sum) in sums {
      table.add(
        [
          label, Quantity.count(sum.weights), Quantity.count(sum.weightsKept),
          Quantity.percent(sum.shareRemoved),
        ] + (predictsLoss ? [rises.text(sum.predictedRise)] : [])
          + [style.bar(sum.shareRemoved, width: 20)]
      )
    }
    return table
  }

  private func summaryTable(_ style: TerminalStyle) -> TextTable {
    var table = TextTable(
      title: "Whole model",
      columns: [.init("", .left), .init("", .left, shortestWidth: 20)]
    )
    for line in summaryLines { table.add([line.label, line.text]) }
    return table
  }

  private func noteText(_ style: TerminalStyle) -> String {
    style.bold("Notes") + "\n"
      + notes.flatMap { $0.printable.wrapped(to: style.columns, bullet: "* ") }
      .map { $0 + "\n" }.joined()
  }
}
