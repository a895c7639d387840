import ExactJSON

extension ModelRecord {
  init(_ value: JSONValue, at path: String) throws(ReportError) {
    let reader = try ObjectReader(
      value,
      at: path,
      keys: [
        "name", "family", "blocks", "hiddenSize", "parameters", "elementType", "fingerprint",
      ]
    )
    name = try reader.text("name")
    family = try reader.text("family")
    blocks = try reader.integer("blocks")
    hiddenSize = try reader.integer("hiddenSize")
    parameters = try reader.integer("parameters")
    elementType = try reader.text("elementType")
    fingerprint = try reader.text("fingerprint")
  }
}

extension SettingsRecord {
  init(_ value: JSONValue, at path: String) throws(ReportError) {
    let reader = try ObjectReader(
      value,
      at: path,
      keys: ["method", "structure", "allocation", "targetShare", "shots", "steps"]
    )
    method = try reader.choice("method", of: PruningMethod.self)
    structure = try reader.text("structure")
    allocation = try reader.choice("allocation", of: AllocationMethod.self)
    targetShare = try reader.number("targetShare")
    shots = try reader.integer("shots")
    steps = try reader.integer("steps")
  }
}

extension CalibrationRecord {
  init(_ value: JSONValue, at path: String) throws(ReportError) {
    let reader = try ObjectReader(
      value,
      at: path,
      keys: ["sequences", "length", "tokens", "seed", "labels", "fingerprint"]
    )
    sequences = try reader.integer("sequences")
    length = try reader.integer("length")
    tokens = try reader.integer("tokens")
    seed = try reader.integer("seed")
    labels = try reader.choice("labels", of: LabelSource.self)
    fingerprint = try reader.text("fingerprint")
  }
}

extension LossRecord {
  init(_ value: JSONValue, at path: String) throws(ReportError) {
    let reader = try ObjectReader(value, at: path, keys: ["dense", "pruned"])
    dense = try reader.optionalNumber("dense")
    pruned = try reader.optionalNumber("pruned")
  }
}

extension ShotRecord {
  init(_ value: JSONValue, at path: String) throws(ReportError) {
    let reader = try ObjectReader(
      value,
      at: path,
      keys: ["number", "target", "achieved", "predictedRise", "lossBefore", "heldOutPerplexity"]
    )
    number = try reader.integer("number")
    target = try reader.number("target")
    achieved = try reader.number("achieved")
    predictedRise = try reader.number("predictedRise")
    lossBefore = try reader.optionalNumber("lossBefore")
    heldOutPerplexity = try reader.optionalNumber("heldOutPerplexity")
  }
}

extension LayerRecord {
  init(_ value: JSONValue, at path: String) throws(ReportError) {
    let reader = try ObjectReader(
      value,
      at: path,
      keys: [
        "name", "block", "kind", "outputs", "inputs", "hasBias", "rowsKept", "columnsKept",
        "weightsKept", "predictedRise", "lossZeroedOnly", "lossRepaired",
        "outputErrorZeroed", "outputError", "dampingActivations", "dampingGradients",
        "dampingRaised",
      ]
    )
    self.init(
      name: try reader.text("name"),
      block: try reader.integer("block"),
      kind: try reader.text("kind"),
      outputs: try reader.size("outputs"),
      inputs: try reader.size("inputs")
    )
    hasBias = try reader.flag("hasBias")
    rowsKept = try reader.integer("rowsKept")
    columnsKept = try reader.integer("columnsKept")
    weightsKept = try reader.integer("weightsKept")
    predictedRise = try reader.number("predictedRise")
    lossZeroedOnly = try reader.number("lossZeroedOnly")
    lossRepaired = try reader.number("lossRepaired")
    outputErrorZeroed = try reader.optionalNumber("outputErrorZeroed")
    outputError = try reader.optionalNumber("outputError")
    dampingActivations = try reader.number("dampingActivations")
    dampingGradients = try reader.number("dampingGradients")
    dampingRaised = try reader.integer("dampingRaised")
  }
}

extension RunRecord {
  init(_ value: JSONValue, at path: String) throws(ReportError) {
    let reader = try ObjectReader(value, at: path, keys: ["date", "phases"])
    date = try reader.optional("date") == nil ? nil : reader.text("date")
    phases = try reader.list("phases", Phase.init(_:at:))
  }
}

extension RunRecord.Phase {
  init(_ value: JSONValue, at path: String) throws(ReportError) {
    let reader = try ObjectReader(value, at: path, keys: ["name", "seconds"])
    name = try reader.text("name")
    seconds = try reader.number("seconds")
  }
}
