import Curvature
import LinearAlgebra

extension LayerOutcome: Recorded {
  package var record: RunRecord {
    var record = RunRecord()
    record.floats["weights"] = weights.storage
    figures.mask.add(to: &record)
    record.doubles["damping"] = [figures.damping.activations, figures.damping.gradients]
    record.doubles["loss zeroed only"] = figures.lossZeroedOnly.map { [$0] }
    record.doubles["loss repaired"] = figures.lossRepaired.map { [$0] }
    record.doubles["output errors"] = figures.outputErrors.map { [$0.zeroedOnly, $0.repaired] }
    record.words["counts"] = [figures.timesDampingRaised, figures.iterations].map(UInt64.init)
    return record
  }

  package init?(_ record: RunRecord, of layer: LayerDescription) {
    guard
      let weights = record.weights(of: layer), let mask = LayerMask(record, of: layer),
      let damping = record.doubles["damping"], damping.count == 2,
      let counts = record.words["counts"]?.compactMap(Int.init(exactly:)), counts.count == 2
    else { return nil }
    let errors = record.doubles["output errors"]
    if let errors, errors.count != 2 { return nil }
    self.init(
      weights: weights,
      figures: LayerFigures(
        mask: mask,
        lossZeroedOnly: record.doubles["loss zeroed only"]?.first,
        lossRepaired: record.doubles["loss repaired"]?.first,
        damping: Damping(activations: damping[0], gradients: damping[1]),
        timesDampingRaised: counts[0],
        iterations: counts[1],
        outputErrors: errors.map { OutputErrors(zeroedOnly: $0[0], repaired: $0[1]) }
      )
    )
  }
}

extension UnitPath: Recorded {
  package var record: RunRecord {
    var record = RunRecord()
    record.words["units"] = units.map(UInt64.init)
    record.doubles["losses"] = losses
    return record
  }

  package init?(_ record: RunRecord, of _: LayerDescription) {
    guard
      let units = record.words["units"]?.compactMap(Int.init(exactly:)),
      let losses = record.doubles["losses"], losses.count == units.count + 1
    else { return nil }
    self.init(units: units, losses: losses)
  }
}

extension LayerPlan: Recorded {
  package var record: RunRecord {
    var record = RunRecord()
    mask.add(to: &record)
    record.words["freed rows"] = freedRows.words
    record.words["freed columns"] = freedColumns.words
    record.words["raised"] = [UInt64(timesDampingRaised)]
    record.doubles["cost"] = [predictedCost]
    return record
  }

  package init?(_ record: RunRecord, of layer: LayerDescription) {
    guard
      let mask = LayerMask(record, of: layer), let cost = record.doubles["cost"]?.first,
      let raised = record.count("raised"),
      let rows = record.set("freed rows", count: mask.outputs),
      let columns = record.set("freed columns", count: mask.inputs)
    else { return nil }
    self.init(name: layer.name, mask: mask, predictedCost: cost)
    freedRows = rows
    freedColumns = columns
    timesDampingRaised = raised
  }
}

extension RunRecord {
  /// A number that something was counted to.
  func count(_ name: String) -> Int? { words[name]?.first.flatMap(Int.init(exactly:)) }
}

extension LayerMask {
  /// Adds what is kept to a record.
  func add(to record: inout RunRecord) {
    record.words["kept rows"] = keptRows.words
    record.words["kept columns"] = keptColumns.words
    record.words["kept elements"] = keptElements?.words
  }

  /// Takes what is kept from a record, or nothing if the record is of another shape.
  init?(_ record: RunRecord, of layer: LayerDescription) {
    let (outputs, inputs) = (layer.mask.outputs, layer.mask.inputs)
    guard
      let rows = record.set("kept rows", count: outputs),
      let columns = record.set("kept columns", count: inputs)
    else { return nil }
    let elements = record.set("kept elements", count: outputs * inputs)
    guard record.words["kept elements"] == nil || elements != nil else { return nil }
    self.init(keptRows: rows, keptColumns: columns, keptElements: elements)
  }
}

extension RunRecord {
  fileprivate func set(_ name: String, count: Int) -> BitSet? {
    words[name].flatMap { BitSet(count: count, words: $0) }
  }
}
