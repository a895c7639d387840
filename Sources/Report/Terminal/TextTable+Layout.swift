extension TextTable {
  /// Columns between two columns of the table.
  private static let gap = "  "

  /// The table as lines without line ends, none longer than the style's columns.
  package func lines(style: TerminalStyle = TerminalStyle()) -> [String] {
    let (shown, widths) = layout(within: style.columns)
    var lines = title.map { [style.bold($0.printable.shortened(to: style.columns))] } ?? []
    if columns.contains(where: { !$0.heading.isEmpty }) {
      lines.append(line(columns.map(\.heading), shown, widths, style) { style.dim($0) })
      lines.append(rule(shown, widths, style))
    }
    for row in rows {
      switch row {
      case .rule: lines.append(rule(shown, widths, style))
      case .cells(let cells, let emphasis):
        lines.append(line(cells, shown, widths, style) { emphasized($0, emphasis, style) })
      }
    }
    return lines + footnote(shown, style)
  }

  /// The table as one text whose every line ends with a line feed.
  package func text(style: TerminalStyle = TerminalStyle()) -> String {
    lines(style: style).map { $0 + "\n" }.joined()
  }

  /// Which columns are shown, and the width of each of them.
  private func layout(within limit: Int) -> (shown: [Int], widths: [Int]) {
    let natural = columns.indices.map { naturalWidth(of: $0) }
    var shown = columns.indices.filter { natural[$0] > 0 }
    guard !shown.isEmpty else { return ([], []) }
    while true {
      var excess =
        shown.reduce(0) { $0 + natural[$1] } + Self.gap.count * (shown.count - 1) - limit
      var widths = shown.map { natural[$0] }
      for (slot, column) in shown.enumerated() where excess > 0 {
        guard let shortest = columns[column].shortestWidth else { continue }
        let cut = min(excess, max(0, widths[slot] - max(1, shortest)))
        widths[slot] -= cut
        excess -= cut
      }
      guard excess > 0 else { return (shown, widths) }
      guard shown.count > 1 else { return (shown, [limit]) }
      shown.remove(at: leastImportant(of: shown))
    }
  }

  /// The place in `shown` of the column to leave out: the last one of the lowest importance.
  private func leastImportant(of shown: [Int]) -> Int {
    let lowest = shown.map { columns[$0].importance }.min()
    return shown.lastIndex { columns[$0].importance == lowest } ?? shown.count - 1
  }

  private func naturalWidth(of column: Int) -> Int {
    rows.reduce(columns[column].heading.displayWidth) { widest, row in
      guard case .cells(let cells, _) = row else { return widest }
      return max(widest, cells[column].displayWidth)
    }
  }

  private func line(
    _ cells: [String],
    _ shown: [Int],
    _ widths: [Int],
    _ style: TerminalStyle,
    emphasis: (String) -> String
  ) -> String {
    var line = ""
    var pending = ""  // Spaces that are written only if something follows them.
    for (slot, column) in shown.enumerated() {
      let text = cells[column].shortened(to: widths[slot])
      let space = String(repeating: " ", count: widths[slot] - text.displayWidth)
      if slot > 0 { pending += Self.gap }
      if columns[column].alignment == .right { pending += space }
      if !text.isEmpty {
        line += pending + (columns[column].isAccented ? style.accent(text) : emphasis(text))
        pending = ""
      }
      if columns[column].alignment == .left { pending += space }
    }
    return line
  }

  private func rule(_ shown: [Int], _ widths: [Int], _ style: TerminalStyle) -> String {
    let width = widths.reduce(0, +) + Self.gap.count * (shown.count - 1)
    return style.dim(String(repeating: "─", count: width))
  }

  private func emphasized(_ text: String, _ emphasis: Emphasis, _ style: TerminalStyle) -> String {
    switch emphasis {
    case .plain: text
    case .bold: style.bold(text)
    case .dim: style.dim(text)
    }
  }

  /// Names the columns that did not fit; unnamed ones, such as bars, are not missed.
  private func footnote(_ shown: [Int], _ style: TerminalStyle) -> [String] {
    let missing = columns.indices.filter { !shown.contains($0) && !columns[$0].heading.isEmpty }
    guard !missing.isEmpty else { return [] }
    let names = missing.map { columns[$0].heading }.joined(separator: ", ")
    return [style.dim("too narrow for: \(names)".shortened(to: style.columns))]
  }
}
