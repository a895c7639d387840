extension RetrainingReport {
  /// The report as one self-contained HTML page with the curve of the loss.
  ///
  /// - Returns: The page in UTF-8; the same bytes for the same report.
  /// - Throws: ``ReportError`` if a value cannot be, such as NaN.
  package func html() throws(ReportError) -> [UInt8] {
    try validate()
    let title = "Retraining: \(model)"
    var body = Markup.element("h1", text: title)
    for line in text.split(separator: "\n") { body += .element("p", text: String(line)) }
    let curve = LossCurve(of: course)
    body += .element(
      "figure",
      [:],
      [
        Markup.element("div", ["class": "scroll"], curve.svg),
        .element("figcaption", text: curve.caption),
      ].joined()
    )
    body += Page.heading("Settings")
    body += Page.definitions(definitions)
    return Page.render(title: title, body: body, footer: "surgeon \(programVersion)")
  }

  private var definitions: [(term: String, value: String)] {
    let held = heldOut.map { "\($0.source), \($0.windows) × \($0.length) tokens" }
    return [
      ("Trained", settings.groups.joined(separator: ", ")),
      ("Steps", Quantity.grouped(settings.steps)),
      (
        "Learning rate",
        "\(settings.learningRate), \(settings.schedule), warm-up \(Quantity.percent(settings.warmUp))"
      ),
      ("Weight decay", "\(settings.weightDecay)"),
      ("Largest gradient norm", settings.clip.map { "\($0)" } ?? "none"),
      ("Factors", "rank \(settings.rank), alpha \(settings.alpha)"),
      ("Seed", "\(settings.seed)"),
      (
        "Tokens",
        "\(tokens.source), \(tokens.windows) × \(tokens.length); "
          + "\(tokens.batch) × \(tokens.accumulation) windows a step"
      ),
      ("Held out", held ?? "nothing"),
      ("Model before", "\(model) (\(fingerprint))"),
    ]
  }
}
