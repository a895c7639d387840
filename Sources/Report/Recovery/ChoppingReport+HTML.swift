extension ChoppingReport {
  /// The report as one self-contained HTML page with the curve of the loss.
  ///
  /// - Returns: The page in UTF-8; the same bytes for the same report.
  /// - Throws: ``ReportError`` if a value cannot be, such as NaN.
  package func html() throws(ReportError) -> [UInt8] {
    try training.validate()
    let teacher = distillation.map {
      "logits \(Quantity.setting($0.logits)), hidden states \(Quantity.setting($0.hidden))"
    }
    return TrainingPage(
      title: "Chopped: \(training.model)",
      lines: lines.map { "\($0.name): \($0.value)" } + course.cuts.map(\.text),
      course: course,
      settings: training.definitions + [
        (
          "Decays of the moments",
          "\(training.settings.meanDecay), \(training.settings.squareDecay)"
        ),
        ("Teacher", teacher ?? "none"),
      ],
      programVersion: training.programVersion
    ).bytes
  }
}
