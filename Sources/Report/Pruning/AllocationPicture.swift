/// A picture of where a report's weights were removed and what that cost.
///
/// One square for each matrix, blocks from left to right, kinds from top to bottom, with a bar for
/// each block above and one for each kind at the right.
struct AllocationPicture {
  /// What the colours and bars show.
  enum Measure {
    /// The share of the weights that was removed.
    case shareRemoved
    /// The predicted rise in loss, in nats per token.
    case predictedRise
  }

  /// The sum of the layers of one block and kind; with experts there are several.
  private struct Cell: Hashable {
    let block: Int
    let kind: String
  }

  let measure: Measure
  /// A prefix for the identifiers in the picture, different for each picture of a page.
  let identifier: String
  let blocks: [BlockSum]
  let kinds: [KindSum]
  private let cells: [Cell: LayerSum]
  let geometry: PictureGeometry
  /// The rise that has the darkest colour.
  let largestRise: Double
  private let predictsLoss: Bool

  init(of report: PruningReport, measure: Measure, identifier: String) {
    self.measure = measure
    self.identifier = identifier
    predictsLoss = report.predictsLoss
    blocks = report.sumsByBlock
    kinds = report.sumsByKind
    cells = Dictionary(grouping: report.layers) { Cell(block: $0.block, kind: $0.kind) }
      .mapValues { LayerSum($0) }
    geometry = PictureGeometry(blocks: blocks.count, kinds: kinds.map(\.kind))
    largestRise = cells.values.map(\.predictedRise).max() ?? 0
  }

  /// The picture as an inline SVG element.
  var svg: Markup {
    let size = (geometry.width, geometry.height)
    return .element(
      "svg",
      [
        "class": "picture", "role": "img", "width": "\(size.0)", "height": "\(size.1)",
        "viewBox": "0 0 \(size.0) \(size.1)", "aria-labelledby": "\(identifier)-t \(identifier)-d",
      ],
      [
        .element("title", ["id": "\(identifier)-t"], text: title),
        .element("desc", ["id": "\(identifier)-d"], text: summary),
        blockBars, grid, kindBars, blockLabels, legend,
      ].joined()
    )
  }

  private var title: String {
    switch measure {
    case .shareRemoved: "Share of the weights removed, by block and kind of matrix"
    case .predictedRise: "Predicted rise in loss, by block and kind of matrix"
    }
  }

  /// What a person who does not see the picture should know.
  private var summary: String {
    guard let most = blocks.max(by: { value(of: $0.sum) < value(of: $1.sum) }),
      let least = blocks.min(by: { value(of: $0.sum) < value(of: $1.sum) })
    else { return "There are no matrices." }
    return "Most in block \(most.block): \(text(of: most.sum)). "
      + "Least in block \(least.block): \(text(of: least.sum)). The table of layers has all figures."
  }

  /// The grid of squares with the kinds' names.
  private var grid: Markup {
    var rows = Markup()
    for (row, kind) in kinds.enumerated() {
      let top = geometry.top(of: row)
      rows += .element(
        "text",
        [
          "class": "label", "text-anchor": "end", "x": "\(geometry.left - 8)",
          "y": "\(top + geometry.cellHeight / 2 + 4)",
        ],
        text: kind.kind.shortened(to: PictureGeometry.longestLabel)
      )
      for (column, block) in blocks.enumerated() {
        if let sum = cells[Cell(block: block.block, kind: kind.kind)] {
          let place = "Block \(block.block), \(kind.kind)"
          rows += square(sum, named: place, x: geometry.left(of: column), y: top)
        }
      }
    }
    return rows
  }

  private func square(_ sum: LayerSum, named place: String, x: Int, y: Int) -> Markup {
    let (width, height) = (geometry.cellWidth - geometry.gap, geometry.cellHeight - geometry.gap)
    let style = scale.styleClass(scaled(sum))
    var content = Markup.element("title", text: "\(place): \(details(of: sum))")
    content += .element(
      "rect",
      ["class": style, "x": "\(x)", "y": "\(y)", "width": "\(width)", "height": "\(height)"]
    )
    if let number = labels(of: sum).first(where: { geometry.fits($0) }) {
      content += .element(
        "text",
        [
          "class": "number \(style)", "text-anchor": "middle", "x": "\(x + width / 2)",
          "y": "\(y + height / 2 + 4)",
        ],
        text: number
      )
    }
    return .element(
      "g",
      [
        "class": "cell", "data-place": place, "data-share": "\(sum.shareRemoved)",
        "data-rise": "\(sum.predictedRise)",
      ],
      content
    )
  }

  /// The numbers that a square may show, the preferred one first.
  private func labels(of sum: LayerSum) -> [String] {
    switch measure {
    case .shareRemoved: [Quantity.percent(sum.shareRemoved), wholePercent(sum.shareRemoved)]
    case .predictedRise:
      [Quantity.figure(sum.predictedRise), Quantity.figure(sum.predictedRise, digits: 2)]
    }
  }

  /// A share in whole percent; only nothing is 0 and only everything is 100.
  private func wholePercent(_ share: Double) -> String {
    let percent = Int((share * 100).rounded())
    return "\(share > 0 && share < 1 ? min(99, max(1, percent)) : percent)"
  }

  var scale: ColourScale {
    switch measure {
    case .shareRemoved: .share
    case .predictedRise: .rise
    }
  }

  func value(of sum: LayerSum) -> Double {
    switch measure {
    case .shareRemoved: sum.shareRemoved
    case .predictedRise: sum.predictedRise
    }
  }

  func text(of sum: LayerSum) -> String {
    switch measure {
    case .shareRemoved: Quantity.percent(sum.shareRemoved)
    case .predictedRise: Quantity.figure(sum.predictedRise)
    }
  }

  func details(of sum: LayerSum) -> String {
    "\(Quantity.percent(sum.shareRemoved)) of \(Quantity.grouped(sum.weights)) weights removed"
      + (predictsLoss ? ", predicted rise \(Quantity.nats(sum.predictedRise))" : "")
  }

  /// The value of a square between 0 and 1 on the colour scale.
  private func scaled(_ sum: LayerSum) -> Double {
    switch measure {
    case .shareRemoved: sum.shareRemoved
    case .predictedRise: largestRise > 0 ? sum.predictedRise / largestRise : 0
    }
  }
}
