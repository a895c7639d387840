extension AllocationPicture {
  /// A bar for each block above its squares.
  var blockBars: Markup {
    let height = geometry.barsHeight
    let bottom = geometry.gridTop - 6
    let top = largest(blocks.map { value(of: $0.sum) })
    var bars = Markup.element(
      "text",
      ["class": "label", "text-anchor": "end", "x": "\(geometry.left - 8)", "y": "\(bottom)"],
      text: "whole block"
    )
    for (column, block) in blocks.enumerated() {
      let length = barLength(value(of: block.sum), of: top, full: height)
      let x = geometry.left(of: column)
      bars += bar(
        "Block \(block.block): \(details(of: block.sum))",
        x: x,
        y: bottom - length,
        width: geometry.cellWidth - geometry.gap,
        height: length
      )
      if geometry.fits(text(of: block.sum)) {
        let middle = x + (geometry.cellWidth - geometry.gap) / 2
        bars += .element(
          "text",
          [
            "class": "figure", "text-anchor": "middle", "x": "\(middle)",
            "y": "\(bottom - length - 4)",
          ],
          text: text(of: block.sum)
        )
      }
    }
    return bars
  }

  /// A bar for each kind at the right of its squares, with its figure.
  var kindBars: Markup {
    let left = geometry.left + geometry.gridWidth + 8
    let top = largest(kinds.map { value(of: $0.sum) })
    var bars = Markup()
    for (row, kind) in kinds.enumerated() {
      let length = barLength(value(of: kind.sum), of: top, full: 72)
      let y = geometry.top(of: row)
      bars += bar(
        "All \(kind.kind): \(details(of: kind.sum))",
        x: left,
        y: y + 5,
        width: length,
        height: geometry.cellHeight - geometry.gap - 10
      )
      bars += .element(
        "text",
        [
          "class": "figure", "x": "\(left + length + 5)", "y": "\(y + geometry.cellHeight / 2 + 3)",
        ],
        text: text(of: kind.sum)
      )
    }
    return bars
  }

  /// The blocks' numbers below the squares.
  var blockLabels: Markup {
    let baseline = geometry.gridBottom + 15
    var labels = Markup()
    for (column, block) in blocks.enumerated()
    where column.isMultiple(of: geometry.labelStride) {
      let middle = geometry.left(of: column) + (geometry.cellWidth - geometry.gap) / 2
      labels += .element(
        "text",
        ["class": "label", "text-anchor": "middle", "x": "\(middle)", "y": "\(baseline)"],
        text: "\(block.block)"
      )
    }
    labels += .element(
      "text",
      ["class": "label", "x": "\(geometry.left)", "y": "\(baseline + 16)"],
      text: "block, from the first to the last"
    )
    return labels
  }

  /// What the colours mean.
  var legend: Markup {
    let (left, top, width) = (geometry.left, geometry.legendTop, 240)
    let gradient = "\(identifier)-g"
    let stops = (0...10).map { step in
      let place = Double(step) / 10
      return Markup.element(
        "stop",
        ["class": scale.styleClass(place), "offset": "\(step * 10)%"]
      )
    }
    var legend = Markup.element("linearGradient", ["id": gradient], stops.joined())
    legend += .element(
      "rect",
      [
        "fill": "url(#\(gradient))", "x": "\(left)", "y": "\(top)", "width": "\(width)",
        "height": "12",
      ]
    )
    legend += .element(
      "text",
      ["class": "label", "x": "\(left + width + 10)", "y": "\(top + 10)"],
      text: legendTitle
    )
    for (place, text) in legendMarks {
      let anchor = place == 0 ? "start" : place == 1 ? "end" : "middle"
      let x = left + Int(Double(width) * place)
      legend += .element(
        "text",
        ["class": "label", "text-anchor": anchor, "x": "\(x)", "y": "\(top + 28)"],
        text: text
      )
    }
    return legend
  }

  private var legendTitle: String {
    switch measure {
    case .shareRemoved: "share of the weights removed"
    case .predictedRise: "rise in nats per token"
    }
  }

  private var legendMarks: [(place: Double, text: String)] {
    switch measure {
    case .shareRemoved: [(0, "0 %"), (0.5, "50 %"), (1, "100 %")]
    case .predictedRise: [(0, "0"), (1, Quantity.figure(largestRise))]
    }
  }

  /// The value of a full bar: everything for shares, the largest one for rises.
  private func largest(_ values: [Double]) -> Double {
    switch measure {
    case .shareRemoved: 1
    case .predictedRise: values.max() ?? 0
    }
  }

  private func barLength(_ value: Double, of largest: Double, full: Int) -> Int {
    guard largest > 0, value > 0 else { return 0 }
    return max(1, Int((value / largest * Double(full)).rounded()))
  }

  private func bar(_ title: String, x: Int, y: Int, width: Int, height: Int) -> Markup {
    .element(
      "rect",
      [
        "class": "bar \(scale.barClass)", "x": "\(x)", "y": "\(y)", "width": "\(width)",
        "height": "\(height)",
      ],
      .element("title", text: title)
    )
  }
}

extension ColourScale {
  /// The style class of bars in the scale's hue.
  var barClass: String { styleClass(0.6) }
}
