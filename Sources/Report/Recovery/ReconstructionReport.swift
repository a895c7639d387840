/// The windows of a reconstruction and how close each comes to the dense model.
package struct ReconstructionReport: Sendable, Equatable {
  /// One window.
  package struct Window: Sendable, Equatable {
    /// Which part of the model.
    package let name: String
    /// The mean square of the difference in the outputs before, over all entries.
    package let before: Double
    /// The same after; what was tried, if it was not kept.
    package let after: Double
    /// Whether the new values were kept.
    package let isKept: Bool

    /// Takes all values.
    package init(name: String, before: Double, after: Double, isKept: Bool) {
      self.name = name
      self.before = before
      self.after = after
      self.isKept = isKept
    }

    /// One line for a person.
    package var text: String {
      "\(name): error \(Quantity.figure(before)) → \(Quantity.figure(after))"
        + (isKept ? "" : ", old values kept")
    }
  }

  /// The version of the program.
  package let programVersion: String
  /// The pruned model, as the person named it.
  package let model: String
  /// A hash of the pruned model.
  package let fingerprint: String
  /// How much was fitted at a time.
  package let window: String
  /// What the windows read.
  package let inputs: String
  /// What they were fitted to.
  package let target: String
  /// How they were trained.
  package let training: TrainingRecord
  /// The number of sequences.
  package let sequences: Int
  /// The tokens of each.
  package let length: Int
  /// The windows, in the order of the blocks.
  package var windows: [Window] = []
  /// The held-out loss before, in nats per predicted token.
  package var lossBefore: Double?
  /// The held-out loss of the written checkpoint.
  package var lossAfter: Double?

  /// A reconstruction that has not begun.
  package init(
    programVersion: String,
    model: String,
    fingerprint: String,
    window: String,
    inputs: String,
    target: String,
    training: TrainingRecord,
    sequences: Int,
    length: Int
  ) {
    self.programVersion = programVersion
    self.model = model
    self.fingerprint = fingerprint
    self.window = window
    self.inputs = inputs
    self.target = target
    self.training = training
    self.sequences = sequences
    self.length = length
  }

  /// A table for a terminal.
  package func text(style: TerminalStyle) -> String {
    var table = TextTable(
      title: "\(model), windows: \(window), inputs: \(inputs), target: \(target)",
      columns: [
        .init("window", .left, shortestWidth: 12), .init("error before"), .init("after"),
        .init("", .left),
      ]
    )
    for window in windows {
      table.add([
        window.name, Quantity.figure(window.before), Quantity.figure(window.after),
        window.isKept ? "" : "old values kept",
      ])
    }
    var text = table.text(style: style)
    if let lossBefore, let lossAfter {
      text +=
        "held-out perplexity \(RetrainingReport.perplexity(lossBefore)) before, "
        + "\(RetrainingReport.perplexity(lossAfter)) after\n"
    }
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }
}
