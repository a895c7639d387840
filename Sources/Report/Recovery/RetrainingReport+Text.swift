import Foundation

extension RetrainingReport {
  /// A few lines for a person, without a final line feed.
  package var text: String {
    var lines = [
      "\(Quantity.grouped(trainedValues)) values trained, "
        + "\(Quantity.percent(trainedShare)) of the parameters "
        + "(\(settings.groups.joined(separator: ", "))), \(Quantity.counted(settings.steps, "step"))"
    ]
    if let before = course.heldOut.first?.loss, let after = writtenLoss {
      lines.append(
        "held-out perplexity \(Self.perplexity(before)) before, \(Self.perplexity(after)) after"
      )
    } else if let first = course.steps.first?.loss, let last = course.steps.last?.loss {
      lines.append(
        "loss \(Quantity.figure(first)) at the first step, \(Quantity.figure(last)) at the last"
      )
    }
    if let jump = mergeNote { lines.append(jump) }
    lines.append(
      "\(Quantity.grouped(zerosAfter)) of \(Quantity.grouped(weights)) weights are zero, "
        + "\(Quantity.grouped(zerosBefore)) were before"
    )
    return lines.joined(separator: "\n")
  }

  /// The share of the parameters that was trained; more than one where factors outnumber weights.
  private var trainedShare: Double { Double(trainedValues) / Double(max(1, parameters)) }

  /// What merging changed, where factors are not merged exactly.
  var mergeNote: String? {
    guard settings.groups.contains("lora-prune"), let trained = course.heldOut.last?.loss,
      let writtenLoss
    else { return nil }
    return "before the zeros were put back: held-out perplexity \(Self.perplexity(trained)); "
      + "merging changed the loss by \(Quantity.figure(writtenLoss - trained)) nats per token"
  }

  /// The perplexity of a mean loss, four digits.
  static func perplexity(_ loss: Double) -> String {
    Quantity.figure(exp(loss), digits: 4)
  }
}
