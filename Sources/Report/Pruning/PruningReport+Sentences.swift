extension PruningReport {
  var modelLine: String {
    "\(model.family), \(Quantity.counted(model.blocks, "block")) of width "
      + "\(Quantity.grouped(model.hiddenSize)), \(Quantity.count(model.parameters)) parameters, "
      + model.elementType
  }

  var settingsLine: String {
    let shots = Quantity.counted(settings.shots, "shot")
    let steps = settings.steps == 1 ? "" : " of \(Quantity.counted(settings.steps, "step"))"
    return "method \(settings.method.rawValue), structure \(settings.structure), "
      + "\(settings.allocation.rawValue) allocation, \(shots)\(steps)"
  }

  /// Whether a perplexity was measured after any shot.
  var hasHeldOut: Bool { shots.contains { $0.heldOutPerplexity != nil } }

  /// The figures of each shot: number, target, removed, predicted rise, loss before, and the
  /// perplexity where any was measured.
  var shotTexts: [[String]] {
    let rises = DecimalColumn(shots.map(\.predictedRise))
    return shots.map { shot in
      let figures = [
        "\(shot.number)", Quantity.percent(shot.target), Quantity.percent(shot.achieved),
        predictsLoss ? rises.text(shot.predictedRise) : "–",
        shot.lossBefore.map { Quantity.fixed($0, decimals: 4) } ?? "–",
      ]
      let perplexity = shot.heldOutPerplexity.map { Quantity.fixed($0, decimals: 3) } ?? "–"
      return hasHeldOut ? figures + [perplexity] : figures
    }
  }

  /// Whether the report predicts what the removals do to the loss: not by errors of layers, nor
  /// without any data.
  package var predictsLoss: Bool { !settings.method.isLayerLocal && calibration != nil }

  /// What the layers' costs are measured in; nil where there are none.
  var costUnit: String? {
    if predictsLoss { return "losses in nats per token" }
    return settings.method.isLayerLocal ? "errors relative to the output" : nil
  }

  /// Whether any layer's factors were damped.
  var isDamped: Bool {
    layers.contains { $0.dampingActivations > 0 || $0.dampingGradients > 0 || $0.dampingRaised > 0 }
  }

  /// The mean over layers of the relative error of their output, where it was measured.
  var meanOutputError: Double? {
    let errors = layers.compactMap(\.outputError)
    return errors.isEmpty ? nil : errors.reduce(0, +) / Double(errors.count)
  }

  /// The parts that all layers' names begin with, such as `model.layers.`, the last two left out.
  var commonPrefix: String {
    let names = layers.map { $0.name.split(separator: ".", omittingEmptySubsequences: false) }
    guard var common = names.first?.dropLast(2) else { return "" }
    for name in names {
      let shared = zip(common, name.dropLast(2)).prefix { $0 == $1 }.count
      common = common.prefix(shared)
    }
    return common.isEmpty ? "" : common.joined(separator: ".") + "."
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
    if let speed { lines.append(("predicted speed", speed.sentence)) }
    if let dense = loss.dense {
      lines.append(
        ("loss", before(dense, loss.pruned) { Quantity.fixed($0, decimals: 4) } + " nats/token")
      )
      lines.append(("perplexity", before(dense, loss.pruned, Quantity.perplexity(ofLoss:))))
    }
    if predictsLoss { lines.append(("predicted rise", Quantity.nats(total.predictedRise))) }
    if let error = meanOutputError {
      lines.append(("output error", "\(Quantity.percent(error)) on average over the layers"))
    }
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
    "calibrated on \(Quantity.counted(sequences, "sequence")) of \(Quantity.counted(length, "token")), "
      + "\(labels.rawValue) labels, seed \(seed)"
  }
}

extension LayerRecord {
  var size: String { "\(outputs) × \(inputs)" }

  var damping: String {
    let factors =
      "\(Quantity.setting(dampingActivations)), \(Quantity.setting(dampingGradients))"
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
