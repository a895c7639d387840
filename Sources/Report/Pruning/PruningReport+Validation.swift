extension PruningReport {
  /// Checks that every value can be: sizes, shares, finite figures, unique layer names.
  ///
  /// Reading, writing and showing a report all start here, so NaN goes nowhere.
  ///
  /// - Throws: ``ReportError`` that names the first value at fault.
  package func validate() throws(ReportError) {
    try Check.text(programVersion, "program.version")
    try model.validate()
    try settings.validate()
    try calibration?.validate()
    try loss.validate()
    try speed?.validate()
    if !widths.isEmpty {
      try Check.that(widths.count == model.blocks, "widths", "a list with an entry for each block")
    }
    for (index, width) in widths.enumerated() { try width.validate(at: "widths[\(index)]") }
    try validateLayers()
    for (index, shot) in shots.enumerated() {
      try Check.that(shot.number == index + 1, "shots[\(index)].number", "\(index + 1)")
      try shot.validate(at: "shots[\(index)]")
    }
    for (index, note) in notes.enumerated() { try Check.text(note, "notes[\(index)]") }
    try run?.validate()
  }

  private func validateLayers() throws(ReportError) {
    var names: Set<[UInt8]> = []
    var weights = 0
    for (index, layer) in layers.enumerated() {
      let path = "layers[\(index)]"
      try layer.validate(at: path)
      let isNew = names.insert(Array(layer.name.utf8)).inserted
      try Check.that(isNew, "\(path).name", "different from the names before it")
      let (sum, overflows) = weights.addingReportingOverflow(layer.weights)
      try Check.that(!overflows, path, "small enough for all weights to be counted")
      weights = sum
    }
    try Check.finite(total.predictedRise, "summary.predictedRise")
  }
}

extension LayerRecord {
  fileprivate func validate(at path: String) throws(ReportError) {
    try Check.text(name, "\(path).name")
    try Check.text(kind, "\(path).kind")
    try Check.integer(block, in: 0...Check.largest, "\(path).block")
    try Check.integer(outputs, in: 1...Check.largest, "\(path).outputs")
    try Check.integer(inputs, in: 1...Check.largest, "\(path).inputs")
    try Check.integer(rowsKept, in: 0...outputs, "\(path).rowsKept")
    try Check.integer(columnsKept, in: 0...inputs, "\(path).columnsKept")
    try Check.integer(weightsKept, in: 0...(rowsKept * columnsKept), "\(path).weightsKept")
    try Check.finite(predictedRise, "\(path).predictedRise")
    try Check.finite(lossZeroedOnly, "\(path).lossZeroedOnly")
    try Check.finite(lossRepaired, "\(path).lossRepaired")
    if let outputErrorZeroed {
      try Check.notNegative(outputErrorZeroed, "\(path).outputErrorZeroed")
    }
    if let outputError { try Check.notNegative(outputError, "\(path).outputError") }
    try Check.notNegative(dampingActivations, "\(path).dampingActivations")
    try Check.notNegative(dampingGradients, "\(path).dampingGradients")
    try Check.integer(dampingRaised, in: 0...Check.largest, "\(path).dampingRaised")
  }
}

extension ModelRecord {
  fileprivate func validate() throws(ReportError) {
    try Check.text(name, "model.name")
    try Check.text(family, "model.family")
    try Check.integer(blocks, in: 0...Check.largest, "model.blocks")
    try Check.integer(hiddenSize, in: 1...Check.largest, "model.hiddenSize")
    try Check.integer(parameters, in: 0...Int.max, "model.parameters")
    try Check.text(elementType, "model.elementType")
    try Check.text(fingerprint, "model.fingerprint")
  }
}

extension SettingsRecord {
  fileprivate func validate() throws(ReportError) {
    try Check.text(structure, "settings.structure")
    try Check.share(targetShare, "settings.targetShare")
    try Check.integer(shots, in: 1...Check.largest, "settings.shots")
    try Check.integer(steps, in: 1...Check.largest, "settings.steps")
  }
}

extension CalibrationRecord {
  fileprivate func validate() throws(ReportError) {
    try Check.integer(sequences, in: 1...Check.largest, "calibration.sequences")
    try Check.integer(length, in: 1...Check.largest, "calibration.length")
    try Check.integer(tokens, in: 0...Int.max, "calibration.tokens")
    try Check.integer(seed, in: 0...Int.max, "calibration.seed")
    try Check.text(fingerprint, "calibration.fingerprint")
  }
}

extension LossRecord {
  fileprivate func validate() throws(ReportError) {
    if let dense { try Check.notNegative(dense, "loss.dense") }
    if let pruned { try Check.notNegative(pruned, "loss.pruned") }
  }
}

extension ShotRecord {
  fileprivate func validate(at path: String) throws(ReportError) {
    try Check.share(target, "\(path).target")
    try Check.share(achieved, "\(path).achieved")
    try Check.finite(predictedRise, "\(path).predictedRise")
    if let lossBefore { try Check.notNegative(lossBefore, "\(path).lossBefore") }
    if let heldOutPerplexity {
      try Check.notNegative(heldOutPerplexity, "\(path).heldOutPerplexity")
    }
  }
}

extension RunRecord {
  fileprivate func validate() throws(ReportError) {
    if let date { try Check.text(date, "run.date") }
    for (index, phase) in phases.enumerated() {
      try Check.text(phase.name, "run.phases[\(index)].name")
      try Check.notNegative(phase.seconds, "run.phases[\(index)].seconds")
    }
  }
}
