extension ChoppingReport {
  /// What a person wants to know, by name.
  package var lines: [(name: String, value: String)] {
    var lines = [
      ("model", training.model), ("removed", removedText),
      ("kept blocks", "\(removal.kept.listed) (numbered from 0)"),
      ("parameters", sizes.parameters.text(Quantity.count)),
      ("weight files", sizes.bytes.text(Quantity.bytes)),
      ("KV per token", sizes.keyValueBytesPerToken.text(Quantity.bytes)),
    ]
    if let perplexities { lines.append(("perplexity", perplexities)) }
    if let first = course.steps.first?.loss, let last = course.steps.last?.loss {
      lines.append(
        (
          "loss",
          "\(Quantity.figure(first)) at the first step, \(Quantity.figure(last)) at the last"
        )
      )
    }
    return lines
  }

  private var removedText: String {
    let pace = removal.interval == 0 ? "at once" : "one every \(removal.interval) steps"
    let before =
      removal.stepsBefore == 0 ? "" : " after \(Quantity.counted(removal.stepsBefore, "step"))"
    return "\(Quantity.counted(removal.removed.count, "block")) by \(removal.scheme), "
      + "\(pace)\(before): \(removal.removed.listed)"
  }

  private var perplexities: String? {
    guard let heldOut = training.heldOut, let before = course.cuts.first?.lossBefore,
      let cut = course.cuts.last?.lossAfter, let after = training.writtenLoss
    else { return nil }
    let (old, gone, new) = (
      RetrainingReport.perplexity(before), RetrainingReport.perplexity(cut),
      RetrainingReport.perplexity(after)
    )
    return "\(old) before the removal, \(gone) after it, \(new) written (on \(heldOut.source))"
  }
}

extension ChoppingReport.Change {
  fileprivate func text(_ text: (Int) -> String) -> String {
    let share = before == 0 ? 0 : 1 - Double(after) / Double(before)
    return "\(text(before)) → \(text(after)) (\(Quantity.percent(max(0, share))) saved)"
  }
}

extension [Int] {
  /// The numbers with spaces between them.
  fileprivate var listed: String { map(String.init).joined(separator: " ") }
}

extension TrainingCourse.Cut {
  /// One line for a person.
  package var text: String {
    var text =
      "removed \(blocks.count == 1 ? "block" : "blocks") \(blocks.listed) after step \(step)"
    if let lossBefore, let lossAfter {
      text +=
        ": held-out perplexity \(RetrainingReport.perplexity(lossBefore)) → "
        + RetrainingReport.perplexity(lossAfter)
    }
    return text
  }
}

/// Lines of names and values for a person.
package enum TextLines {
  /// Puts the values below each other.
  ///
  /// - Parameter lines: The names and values.
  /// - Returns: One line for each, without a final line feed.
  package static func aligned(_ lines: [(name: String, value: String)]) -> String {
    let width = (lines.map(\.name.count).max() ?? 0) + 2
    return lines.map { $0.name + String(repeating: " ", count: width - $0.name.count) + $0.value }
      .joined(separator: "\n")
  }
}
