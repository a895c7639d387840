/// A chart of perplexities: one bar for each way of pruning and a line for the dense model.
struct ComparisonChart {
  private static let barHeight = 20
  private static let barStride = 26
  private static let groupGap = 34
  private static let plotWidth = 520
  private static let left = 110

  /// Rows that share their structure and target.
  private struct Group {
    let title: String
    var rows: [ComparisonReport.Row]
  }

  private let dense: Double
  private let groups: [Group]
  /// The perplexity at the right end.
  private let limit: Double
  private let isCut: Bool

  init(of report: ComparisonReport) {
    dense = report.densePerplexity
    groups = report.rows.reduce(into: []) { groups, row in
      let title = "\(row.structure), target \(Quantity.percent(row.target))"
      if groups.last?.title == title {
        groups[groups.count - 1].rows.append(row)
      } else {
        groups.append(Group(title: title, rows: [row]))
      }
    }
    limit = report.longestBar
    isCut = report.rows.contains { [limit] in $0.perplexity > limit }
  }

  /// What stands below the chart.
  var caption: String {
    "Perplexity, lower is better; the dashed line is the dense model."
      + (isCut
        ? " Bars with a gap are longer than shown: more than "
          + "\(ComparisonReport.longestFactor) times the dense perplexity." : "")
  }

  /// The chart as an inline SVG element.
  var svg: Markup {
    var (content, y) = (Markup(), 26)
    for group in groups {
      content += text(group.title, x: 0, y: y + 16, style: "")
      y += 24
      for row in group.rows {
        content += bar(row, y: y)
        y += Self.barStride
      }
      y += Self.groupGap - 24
    }
    let parts: [Markup] = [
      .element("title", ["id": "chart-t"], text: "Perplexity of each way of pruning"),
      content, denseLine(bottom: y),
    ]
    let width = Self.left + Self.plotWidth + 70
    return .element(
      "svg",
      [
        "role": "img", "width": "\(width)", "height": "\(y + 4)",
        "viewBox": "0 0 \(width) \(y + 4)", "aria-labelledby": "chart-t",
      ],
      parts.joined()
    )
  }

  private func bar(_ row: ComparisonReport.Row, y: Int) -> Markup {
    let length = position(row.perplexity)
    let details =
      "\(row.structure), \(row.method.rawValue): perplexity \(ComparisonReport.figure(row.perplexity)), "
      + "\(Quantity.percent(row.shareRemoved)) removed"
    var parts = text(
      row.method.rawValue,
      x: Self.left - 8,
      y: y + 15,
      style: "label",
      anchor: "end"
    )
    parts += .element(
      "rect",
      [
        "class": "bar method-\(row.method.rawValue)", "x": "\(Self.left)", "y": "\(y)",
        "width": "\(length)", "height": "\(Self.barHeight)",
        "data-perplexity": "\(row.perplexity)",
      ],
      .element("title", text: details)
    )
    if row.perplexity > limit {
      let x = Self.left + length - 24
      let path = "M\(x) \(y + Self.barHeight + 2)l10 \(-Self.barHeight - 4)"
      parts += .element("path", ["class": "tear", "d": path])
    }
    parts += text(
      ComparisonReport.figure(row.perplexity),
      x: Self.left + length + 6,
      y: y + 15,
      style: "figure"
    )
    return parts
  }

  private func denseLine(bottom: Int) -> Markup {
    let x = Self.left + position(dense)
    var line = Markup.element(
      "line",
      ["class": "dense", "x1": "\(x)", "x2": "\(x)", "y1": "20", "y2": "\(bottom)"]
    )
    line += text(
      "dense \(ComparisonReport.figure(dense))",
      x: x,
      y: 14,
      style: "",
      anchor: "middle"
    )
    return line
  }

  private func position(_ perplexity: Double) -> Int {
    Int((min(1, perplexity / limit) * Double(Self.plotWidth)).rounded())
  }

  private func text(
    _ text: String,
    x: Int,
    y: Int,
    style: String,
    anchor: String = "start"
  ) -> Markup {
    .element(
      "text",
      ["class": style, "text-anchor": anchor, "x": "\(x)", "y": "\(y)"],
      text: text
    )
  }
}
