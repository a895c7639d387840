extension PruningReport {
  var layerRows: HTMLTable {
    let losses = DecimalColumn(layers.flatMap { [$0.lossZeroedOnly, $0.lossRepaired] })
    let rises = DecimalColumn(layers.map(\.predictedRise))
    var table = HTMLTable(
      label: "Layers; losses in nats per token",
      columns: [
        .name("Layer"), .number("Size"), .number("Rows kept"), .number("Columns kept"),
        .number("Weights removed"), .number("Predicted rise, nats/token"),
        .number("Loss zeroed only"), .number("Loss repaired"), .number("Damping A, G"),
      ]
    )
    for layer in layers {
      table.add([
        layer.name, layer.size, "\(layer.rowsKept)",
        "\(layer.columnsKept)", Quantity.percent(layer.shareRemoved),
        rises.text(layer.predictedRise), losses.text(layer.lossZeroedOnly),
        losses.text(layer.lossRepaired), layer.damping,
      ])
    }
    return table
  }

  func sumRows(_ name: String, _ sums: [(label: String, sum: LayerSum)]) -> HTMLTable {
    let rises = DecimalColumn(sums.map(\.sum.predictedRise))
    var table = HTMLTable(
      label: "Sums by \(name.lowercased())",
      columns: [
        .text(name), .number("Matrices"), .number("Weights"), .number("Weights kept"),
        .number("Removed"), .number("Predicted rise, nats/token"),
      ]
    )
    func add(_ label: String, _ sum: LayerSum, isStrong: Bool = false) {
      table.add(
        [
          label, Quantity.grouped(sum.layers), Quantity.grouped(sum.weights),
          Quantity.grouped(sum.weightsKept), Quantity.percent(sum.shareRemoved),
          rises.text(sum.predictedRise),
        ],
        isStrong: isStrong
      )
    }
    for (label, sum) in sums { add(label, sum) }
    add("Whole model", total, isStrong: true)
    return table
  }

  var shotRows: HTMLTable {
    var table = HTMLTable(
      label: "Shots; losses in nats per token",
      columns: [
        .text("Shot"), .number("Target"), .number("Removed"),
        .number("Predicted rise, nats/token"), .number("Loss before, nats/token"),
      ] + (hasHeldOut ? [.number("Held-out perplexity")] : [])
    )
    for row in shotTexts { table.add(row) }
    return table
  }

  /// All settings with their names.
  var definitions: [(term: String, value: String)] {
    var entries = [
      ("Method", settings.method.rawValue), ("Structure", settings.structure),
      ("Allocation", settings.allocation.rawValue),
      ("Target", Quantity.percent(settings.targetShare)),
      ("Shots", Quantity.grouped(settings.shots)), ("Steps", Quantity.grouped(settings.steps)),
      ("Model", model.name), ("Element type", model.elementType),
      ("Model fingerprint", model.fingerprint),
    ]
    if let calibration {
      entries += [
        (
          "Calibration",
          "\(Quantity.counted(calibration.sequences, "sequence")) of "
            + "\(Quantity.counted(calibration.length, "token")), "
            + "\(Quantity.counted(calibration.tokens, "position"))"
        ),
        ("Labels", calibration.labels.rawValue), ("Seed", "\(calibration.seed)"),
        ("Data fingerprint", calibration.fingerprint),
      ]
    }
    for phase in run?.phases ?? [] {
      entries.append(("Time for \(phase.name)", Quantity.duration(seconds: phase.seconds)))
    }
    return entries
  }
}
