extension PruningReport {
  /// The report as one self-contained HTML page with pictures of the allocation.
  ///
  /// - Returns: The page in UTF-8; the same bytes for the same report. It loads nothing and runs
  ///   no script.
  /// - Throws: ``ReportError`` if a value cannot be, such as NaN.
  package func html() throws(ReportError) -> [UInt8] {
    try validate()
    let title = "Pruning report: \(model.name)"
    var body = head(title)
    if !layers.isEmpty {
      body += Page.heading("Where the weights were removed")
      body += pictures(identifier: "picture")
    }
    if shots.count > 1 {
      body += Page.heading("Shots")
      body += Page.table(shotRows)
    }
    body += Page.heading("Blocks")
    body += Page.table(sumRows("Block", sumsByBlock.map { ("\($0.block)", $0.sum) }))
    body += Page.heading("Kinds of matrices")
    body += Page.table(sumRows("Kind", sumsByKind.map { ($0.kind, $0.sum) }))
    if !widths.isEmpty {
      body += Page.heading("Kept heads and neurons")
      body += Page.table(widthRows)
    }
    body += Page.heading("Layers")
    body += Page.table(layerRows)
    body += Page.heading("Settings")
    body += Page.definitions(definitions)
    if !notes.isEmpty {
      body += Page.heading("Notes")
      body += Page.list(notes)
    }
    return Page.render(title: title, body: body, footer: footer)
  }

  /// The pictures of the allocation and of its cost.
  ///
  /// - Parameter identifier: A prefix for identifiers, different for each report on a page.
  /// - Returns: Two figures; one where no loss is predicted.
  func pictures(identifier: String) -> Markup {
    let share = AllocationPicture(
      of: self,
      measure: .shareRemoved,
      identifier: "\(identifier)-share"
    )
    let rise = AllocationPicture(
      of: self,
      measure: .predictedRise,
      identifier: "\(identifier)-rise"
    )
    var fields = Fields([
      "share": share.svg,
      "shareLabel": Markup(text: "Picture of the share removed: \(model.name)"),
    ])
    let cost = Fields([
      "rise": rise.svg,
      "riseLabel": Markup(text: "Picture of the predicted rise in loss: \(model.name)"),
    ])
    fields.set("cost", section: predictsLoss ? [cost] : [])
    return Markup(PageTemplate.pictures, fields)
  }

  private func head(_ title: String) -> Markup {
    var fields = Fields([
      "heading": Markup(text: title), "model": Markup(text: modelLine),
      "sentence": Markup(text: sentence),
    ])
    fields.set(
      "cards",
      section: cards.map {
        Fields(["value": Markup(text: $0.value), "label": Markup(text: $0.label)])
      }
    )
    fields.set("loss", section: loss.dense == nil ? [] : [Fields()])
    return Markup(PageTemplate.summary, fields)
  }

  private var cards: [(value: String, label: String)] {
    let total = total
    var cards = [
      (
        Quantity.percent(total.shareRemoved),
        "of \(Quantity.count(total.weights)) prunable weights removed"
      )
    ]
    if let speed {
      let factor = Quantity.fixed(speed.predictedSpeedup, decimals: 2)
      cards.append(("\(factor) ×", "predicted speed of a prompt"))
    }
    if let dense = loss.dense, let pruned = loss.pruned {
      let losses = [dense, pruned].map { Quantity.fixed($0, decimals: 3) }
      cards.append((losses.joined(separator: " → "), "loss, nats per token"))
      let perplexities = [dense, pruned].map { Quantity.perplexity(ofLoss: $0) }
      cards.append((perplexities.joined(separator: " → "), "perplexity"))
    }
    if predictsLoss {
      cards.append((Quantity.figure(total.predictedRise), "predicted rise in loss, nats per token"))
    }
    if let error = meanOutputError {
      cards.append((Quantity.percent(error), "error of a layer's output, on average"))
    }
    if let rise = loss.rise {
      cards.append((Quantity.figure(rise), "measured rise in loss, nats per token"))
    }
    return cards
  }

  /// The summary in plain words.
  var sentence: String {
    let total = total
    var text = "\(Quantity.percent(total.shareRemoved)) of the prunable weights were removed"
    if abs(total.shareRemoved - settings.targetShare) > 0.0005 {
      text += " (\(Quantity.percent(settings.targetShare)) were asked for)"
    }
    text += ". "
    guard let dense = loss.dense, let pruned = loss.pruned, let rise = loss.rise else {
      return text
        + (predictsLoss
          ? "The loss was predicted to rise by "
            + "\(Quantity.nats(total.predictedRise)); it was not measured afterwards."
          : "The loss was not measured afterwards.")
    }
    return text
      + "On the calibration text, the loss went from \(Quantity.fixed(dense, decimals: 3)) to "
      + "\(Quantity.fixed(pruned, decimals: 3)) nats per token (perplexity "
      + "\(Quantity.perplexity(ofLoss: dense)) to \(Quantity.perplexity(ofLoss: pruned))): "
      + "a \(rise < 0 ? "fall" : "rise") of \(Quantity.figure(abs(rise)))"
      + (predictsLoss
        ? ", where a rise of \(Quantity.figure(total.predictedRise)) was predicted." : ".")
  }

  private var footer: String {
    let date = run?.date.map { ", \($0)" } ?? ""
    return "surgeon \(programVersion), report format \(Self.formatVersion)\(date)"
  }
}
