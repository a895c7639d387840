/// The units of a model: what can be removed, and how wide each block is.
package struct UnitModel: Sendable {
  /// All parts with units; also those whose kind is not to be removed, since widths depend on them.
  package let parts: [UnitPart]
  /// The widths before anything was removed, block after block.
  package let widths: [BlockWidths]

  /// Describes a model.
  package init(parts: [UnitPart], widths: [BlockWidths]) {
    self.parts = parts
    self.widths = widths
  }

  /// The widths without the units that earlier calibrations or zeros in the weights removed.
  ///
  /// - Parameter layers: The layers of the store.
  /// - Returns: The widths, block after block.
  /// - Throws: ``PruningError/unitsDoNotFit(layer:)``.
  package func widths(leftIn layers: [LayerDescription]) throws(PruningError) -> [BlockWidths] {
    try UnitState(self, layers: layers).widths
  }

  /// Checks that the parts are parts of a store's layers.
  ///
  /// - Throws: ``PruningError/unitsDoNotFit(layer:)`` naming the first layer that they do not fit.
  func check(_ layers: [LayerDescription]) throws(PruningError) {
    for part in parts {
      guard layers.indices.contains(part.reader), widths.indices.contains(part.block) else {
        throw .unitsDoNotFit(layer: "\(part.kind.rawValue) of block \(part.block)")
      }
      let reader = layers[part.reader]
      guard part.count * part.columnsPerUnit == reader.mask.inputs else {
        throw .unitsDoNotFit(layer: reader.name)
      }
      for writer in part.writers {
        guard layers.indices.contains(writer.layer) else {
          throw .unitsDoNotFit(layer: reader.name)
        }
        guard part.count * writer.rowsPerUnit == layers[writer.layer].mask.outputs else {
          throw .unitsDoNotFit(layer: layers[writer.layer].name)
        }
      }
    }
  }
}

/// Which units of a model are left.
struct UnitState: Sendable {
  let model: UnitModel
  /// What is removed from each layer.
  private(set) var plans: [LayerPlan]
  /// For each part the units that are left, rising.
  private(set) var kept: [[Int]]

  /// Finds the units that earlier calibrations or zeros in the weights removed, and removes what is
  /// left of them.
  ///
  /// A unit is gone when the reader has none of its columns, or a silencing writer none of its rows.
  init(_ model: UnitModel, layers: [LayerDescription]) throws(PruningError) {
    try model.check(layers)
    self.model = model
    plans = layers.map { LayerPlan(name: $0.name, mask: $0.mask) }
    kept = []
    for part in model.parts {
      var left: [Int] = []
      for unit in 0..<part.count {
        if isGone(unit, part) {
          plans[part.reader].free(columns: part.columns(of: unit))
          freeRows(of: unit, part)
        } else {
          left.append(unit)
        }
      }
      kept.append(left)
    }
  }

  private func isGone(_ unit: Int, _ part: UnitPart) -> Bool {
    let columns = plans[part.reader].mask.keptColumns
    if part.columns(of: unit).allSatisfy({ !columns[$0] }) { return true }
    return part.writers.contains { writer in
      let rows = plans[writer.layer].mask.keptRows
      return writer.silences && writer.rows(of: unit).allSatisfy { !rows[$0] }
    }
  }

  private mutating func freeRows(of unit: Int, _ part: UnitPart) {
    for writer in part.writers { plans[writer.layer].free(rows: writer.rows(of: unit)) }
  }

  /// Removes units of one part.
  ///
  /// - Parameters:
  ///   - units: Units that are left.
  ///   - cost: What they cost together; in the method's unit.
  ///   - index: The part.
  mutating func remove(_ units: some Collection<Int>, cost: Double, fromPart index: Int) {
    let part = model.parts[index]
    for unit in units {
      plans[part.reader].mask.remove(columns: part.columns(of: unit))
      freeRows(of: unit, part)
    }
    plans[part.reader].predictedCost += cost
    let gone = Set(units)
    kept[index].removeAll { gone.contains($0) }
  }

  /// The sets of a part that have units left, and how many the smallest of them has.
  func sets(ofPart index: Int) -> (number: Int, smallest: Int) {
    let part = model.parts[index]
    var sizes = [Int](repeating: 0, count: part.sets)
    for unit in kept[index] { sizes[part.set(of: unit)] += 1 }
    let left = sizes.filter { $0 > 0 }
    return (left.count, left.min() ?? 0)
  }

  /// The widths of a block when one of its parts keeps another number of units.
  func widths(_ widths: BlockWidths, keeping count: Int, ofPart index: Int) -> BlockWidths {
    let part = model.parts[index]
    var result = widths
    switch part.kind {
    case .neurons: result.neurons = count
    case .heads:
      result.heads = count * part.heads.query
      result.keyValueHeads =
        part.heads.keyValue == 0 ? sets(ofPart: index).number : count * part.heads.keyValue
    }
    return result
  }

  /// The widths of all blocks.
  var widths: [BlockWidths] {
    var result = model.widths
    for (index, part) in model.parts.enumerated() {
      result[part.block] = widths(result[part.block], keeping: kept[index].count, ofPart: index)
    }
    return result
  }
}
