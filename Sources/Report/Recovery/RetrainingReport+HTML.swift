extension RetrainingReport {
  /// The report as one self-contained HTML page with the curve of the loss.
  ///
  /// - Returns: The page in UTF-8; the same bytes for the same report.
  /// - Throws: ``ReportError`` if a value cannot be, such as NaN.
  package func html() throws(ReportError) -> [UInt8] {
    try validate()
    return TrainingPage(
      title: "Retraining: \(model)",
      lines: text.split(separator: "\n").map(String.init),
      course: course,
      settings: definitions,
      programVersion: programVersion
    ).bytes
  }

  /// The settings, for a list.
  var definitions: [(term: String, value: String)] {
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
      ("Factors", settings.factors),
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

extension TrainingRecord {
  /// The factors for a person.
  fileprivate var factors: String {
    guard let rank, let alpha else { return "none" }
    return "rank \(rank), alpha \(alpha)"
  }
}
