extension PruningReport {
  var modelLine: String {
    "\(model.family), \(Quantity.grouped(model.blocks)) blocks of width "
      + "\(Quantity.grouped(model.hiddenSize)), \(Quantity.count(model.parameters)) parameters, "
      + model.elementType
  }

  var settingsLine: String {
    let shots = settings.shots == 1 ? "1 shot" : "\(Quantity.grouped(settings.shots)) shots"
    let steps = settings.steps == 1 ? "" : " of \(Quantity.grouped(settings.steps)) steps"
    return "method \(settings.method.rawValue), structure \(settings.structure), "
      + "\(settings.allocation.rawValue) allocation, \(shots)\(steps)"
  }

  /// The figures of the whole model, each with a label.
  var summaryLines: [(label: String, text: String)] {
    let total = total
    var lines = [
      (
        "removed",
        "\(Quantity.percent(total.shareRemoved)) of \(Quantity.count(total.weights)) prunable "
          + "weights (target \(Quantity.percent(settings.targetShare)))"
      )
    ]
    if let dense = loss.dense {
      lines.append(
        ("loss", before(dense, loss.pruned) { Quantity.fixed($0, decimals: 4) } + " nats/token")
      )
      lines.append(("perplexity", before(dense, loss.pruned, Quantity.perplexity(ofLoss:))))
    }
    lines.append(("predicted rise", Quantity.nats(total.predictedRise)))
    if let rise = loss.rise { lines.append(("measured rise", Quantity.nats(rise))) }
    let seconds = run?.phases.map { "\($0.name) \(Quantity.duration(seconds: $0.seconds))" } ?? []
    if !seconds.isEmpty { lines.append(("time", seconds.joined(separator: ", "))) }
    return lines
  }

  private func before(_ dense: Double, _ pruned: Double?, _ text: (Double) -> String) -> String {
    pruned.map { "\(text(dense)) → \(text($0))" } ?? text(dense)
  }
}

extension CalibrationRecord {
  var sentence: String {
    "calibrated on \(Quantity.grouped(sequences)) sequences of \(Quantity.grouped(length)) tokens, "
      + "\(labels.rawValue) labels, seed \(seed)"
  }
}

extension LayerRecord {
  var size: String { "\(Quantity.grouped(outputs)) × \(Quantity.grouped(inputs))" }

  var damping: String {
    let factors =
      "\(Quantity.figure(dampingActivations)), \(Quantity.figure(dampingGradients))"
    return dampingRaised == 0 ? factors : "\(factors) (raised \(dampingRaised)×)"
  }
}

extension String {
  /// The text broken at spaces into lines that fit, each after the first indented like the bullet.
  ///
  /// A single word that is too long is shortened.
  func wrapped(to width: Int, bullet: String = "") -> [String] {
    let room = max(1, width - bullet.count)
    var lines: [String] = []
    for word in split(separator: " ") {
      let word = String(word).shortened(to: room)
      if let last = lines.last, last.displayWidth + 1 + word.displayWidth <= room {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(word)
      }
    }
    let indent = String(repeating: " ", count: bullet.count)
    return lines.enumerated().map { ($0.offset == 0 ? bullet : indent) + $0.element }
  }
}
