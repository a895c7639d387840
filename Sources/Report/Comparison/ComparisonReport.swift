/// Several ways of pruning one model side by side.
package struct ComparisonReport: Sendable, Equatable {
  /// One way of pruning and what it cost.
  package struct Row: Sendable, Equatable {
    /// What was removed as one, such as `element` or `rows-columns`.
    package var structure: String
    /// The share to remove, 0 to 1.
    package var target: Double
    /// How weights were chosen and repaired.
    package var method: PruningMethod
    /// The perplexity of the pruned model.
    package var perplexity: Double
    /// The share of the prunable weights that was removed, 0 to 1.
    package var shareRemoved: Double
    /// How long it took, where it was measured.
    package var seconds: Double?

    /// Takes all values.
    package init(
      structure: String,
      target: Double,
      method: PruningMethod,
      perplexity: Double,
      shareRemoved: Double,
      seconds: Double? = nil
    ) {
      self.structure = structure
      self.target = target
      self.method = method
      self.perplexity = perplexity
      self.shareRemoved = shareRemoved
      self.seconds = seconds
    }
  }

  /// The title of the page.
  package var title: String
  /// The model before pruning, as the user gave it.
  package var model: String
  /// What the perplexity was measured on and how, in one sentence; may be empty.
  package var protocolText: String
  /// The perplexity of the model before pruning.
  package var densePerplexity: Double
  /// The ways of pruning, in the order they are shown.
  package var rows: [Row]
  /// Full reports of some of them, whose allocation is shown.
  package var reports: [PruningReport]

  /// Takes all values.
  ///
  /// - Parameters:
  ///   - title: The title of the page.
  ///   - model: The model before pruning.
  ///   - protocolText: What the perplexity was measured on and how.
  ///   - densePerplexity: The perplexity of the model before pruning.
  ///   - rows: The ways of pruning, in the order they are shown.
  ///   - reports: Full reports of some of them.
  package init(
    title: String,
    model: String,
    protocolText: String = "",
    densePerplexity: Double,
    rows: [Row],
    reports: [PruningReport] = []
  ) {
    self.title = title
    self.model = model
    self.protocolText = protocolText
    self.densePerplexity = densePerplexity
    self.rows = rows
    self.reports = reports
  }

  /// Checks that every value can be; perplexities are finite and at least 1.
  ///
  /// - Throws: ``ReportError`` that names the first value at fault.
  package func validate() throws(ReportError) {
    try Check.text(title, "title")
    try Check.text(model, "model")
    try Check.perplexity(densePerplexity, "densePerplexity")
    for (index, row) in rows.enumerated() {
      let path = "rows[\(index)]"
      try Check.text(row.structure, "\(path).structure")
      try Check.share(row.target, "\(path).target")
      try Check.perplexity(row.perplexity, "\(path).perplexity")
      try Check.share(row.shareRemoved, "\(path).shareRemoved")
      if let seconds = row.seconds { try Check.notNegative(seconds, "\(path).seconds") }
    }
    for report in reports { try report.validate() }
  }
}

extension Check {
  fileprivate static func perplexity(
    _ value: Double,
    _ path: @autoclosure () -> String
  ) throws(ReportError) {
    try that(value.isFinite && value >= 1, path(), "a finite number from 1")
  }
}
