extension PruningReport {
  var layerRows: HTMLTable {
    var table = HTMLTable(
      label: costUnit.map { "Layers; \($0)" } ?? "Layers",
      columns: [
        .name("Layer"), .number("Size"), .number("Rows kept"), .number("Columns kept"),
        .number("Weights removed"),
      ] + costColumns + (isDamped ? [.number("Damping A, G")] : [])
    )
    let costs = layerCosts
    for (layer, costs) in zip(layers, costs) {
      table.add(
        [
          layer.name, layer.size, "\(layer.rowsKept)", "\(layer.columnsKept)",
          Quantity.percent(layer.shareRemoved),
        ] + costs + (isDamped ? [layer.damping] : [])
      )
    }
    return table
  }

  private var costColumns: [HTMLTable.Column] {
    guard costUnit != nil else { return [] }
    guard predictsLoss else {
      return [.number("Output error zeroed only"), .number("Output error")]
    }
    return [
      .number("Predicted rise, nats/token"), .number("Loss zeroed only"), .number("Loss repaired"),
    ]
  }

  /// What the removals cost each layer: predicted rise, loss zeroed only and repaired; of a method that
  /// looks at layers alone the errors of the output zeroed only and with the new weights; else nothing.
  var layerCosts: [[String]] {
    guard costUnit != nil else { return layers.map { _ in [] } }
    guard predictsLoss else {
      return layers.map { layer in
        [layer.outputErrorZeroed, layer.outputError].map { $0.map(Quantity.percent) ?? "–" }
      }
    }
    let losses = DecimalColumn(layers.flatMap { [$0.lossZeroedOnly, $0.lossRepaired] })
    let rises = DecimalColumn(layers.map(\.predictedRise))
    return layers.map { layer in
      [
        rises.text(layer.predictedRise), losses.text(layer.lossZeroedOnly),
        losses.text(layer.lossRepaired),
      ]
    }
  }

  func sumRows(_ name: String, _ sums: [(label: String, sum: LayerSum)]) -> HTMLTable {
    let rises = DecimalColumn(sums.map(\.sum.predictedRise))
    var table = HTMLTable(
      label: "Sums by \(name.lowercased())",
      columns: [
        .text(name), .number("Matrices"), .number("Weights"), .number("Weights kept"),
        .number("Removed"),
      ] + (predictsLoss ? [.number("Predicted rise, nats/token")] : [])
    )
    func add(_ label: String, _ sum: LayerSum, isStrong: Bool = false) {
      table.add(
        [
          label, Quantity.grouped(sum.layers), Quantity.grouped(sum.weights),
          Quantity.grouped(sum.weightsKept), Quantity.percent(sum.shareRemoved),
        ] + (predictsLoss ? [rises.text(sum.predictedRise)] : []),
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

  var widthRows: HTMLTable {
    var table = HTMLTable(
      label: "Kept heads and neurons of each block",
      columns: [
        .text("Block"), .number("Query heads"), .number("Key and value heads"),
        .number("Neurons"),
      ]
    )
    for row in widthTexts { table.add(row) }
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
