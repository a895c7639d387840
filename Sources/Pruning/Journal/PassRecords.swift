import LinearAlgebra

/// What a pass makes of a layer.
struct PricedLayer: Sendable {
  /// The repaired weights; nil where nothing asks for them again.
  let weights: Matrix<Float>?
  /// What further removals cost.
  let prices: LayerPrices
  /// How often the factorization raised the damping tenfold.
  let timesDampingRaised: Int
}

extension PricedLayer: Recorded {
  var record: RunRecord {
    var record = RunRecord()
    record.floats["weights"] = weights?.storage
    record.words["raised"] = [UInt64(timesDampingRaised)]
    switch prices {
    case .structures(let costs):
      record.words["rows"] = costs.rows.map { UInt64($0.index) }
      record.words["columns"] = costs.columns.map { UInt64($0.index) }
      record.doubles["rows"] = costs.rows.map(\.cost)
      record.doubles["columns"] = costs.columns.map(\.cost)
    case .elements(let prices): prices.add(to: &record)
    case .blocks(let prices):
      record.floats["keys"] = prices.keys
      record.words["choices"] = prices.choices.map(UInt64.init)
    }
    return record
  }

  init?(_ record: RunRecord, of layer: LayerDescription) {
    guard let raised = record.count("raised") else { return nil }
    timesDampingRaised = raised
    weights = record.weights(of: layer)
    if let keys = record.floats["keys"], let words = record.words["choices"] {
      let choices = words.compactMap(UInt16.init(exactly:))
      guard weights != nil, choices.count == keys.count, words.count == keys.count else {
        return nil
      }
      prices = .blocks(BlockPrices(keys: keys, choices: choices))
    } else if record.words["rows"] != nil {
      guard
        let rows = record.costs("rows", below: layer.mask.outputs),
        let columns = record.costs("columns", below: layer.mask.inputs)
      else { return nil }
      prices = .structures(StructureCosts(rows: rows, columns: columns))
    } else {
      guard weights != nil, let elements = ElementPrices(record, of: layer) else { return nil }
      prices = .elements(elements)
    }
  }
}

extension ExchangeableElements: Recorded {
  var record: RunRecord {
    var record = RunRecord()
    record.floats = ["weights": weights.storage, "wanted": wanted.storage]
    record.doubles["loss"] = [loss]
    prices.add(to: &record)
    return record
  }

  init?(_ record: RunRecord, of layer: LayerDescription) {
    guard
      let weights = record.weights(of: layer), let wanted = record.weights("wanted", of: layer),
      let loss = record.doubles["loss"]?.first, let prices = ElementPrices(record, of: layer)
    else { return nil }
    self.init(weights: weights, loss: loss, wanted: wanted, prices: prices)
  }
}

/// A layer whose blocks were chosen anew.
struct ExchangedBlocks: Sendable {
  /// The best mask found.
  let mask: LayerMask
  /// Its repaired weights.
  let weights: Matrix<Float>
}

extension ExchangedBlocks: Recorded {
  var record: RunRecord {
    var record = RunRecord()
    record.floats["weights"] = weights.storage
    mask.add(to: &record)
    return record
  }

  init?(_ record: RunRecord, of layer: LayerDescription) {
    guard let mask = LayerMask(record, of: layer), let weights = record.weights(of: layer) else {
      return nil
    }
    self.init(mask: mask, weights: weights)
  }
}

extension ElementPrices {
  fileprivate func add(to record: inout RunRecord) {
    record.doubles["row prices"] = rows
    record.doubles["column prices"] = columns
  }

  fileprivate init?(_ record: RunRecord, of layer: LayerDescription) {
    guard
      let rows = record.doubles["row prices"], let columns = record.doubles["column prices"],
      rows.count == layer.mask.outputs, columns.count == layer.columns
    else { return nil }
    self.init(rows: rows, columns: columns)
  }
}

extension RunRecord {
  /// A matrix of the shape of the layer's weights.
  func weights(_ name: String = "weights", of layer: LayerDescription) -> Matrix<Float>? {
    guard let numbers = floats[name], numbers.count == layer.mask.outputs * layer.columns else {
      return nil
    }
    return Matrix(rows: layer.mask.outputs, columns: layer.columns, storage: numbers)
  }

  /// Indices and what their removal costs.
  fileprivate func costs(_ name: String, below bound: Int) -> [(index: Int, cost: Double)]? {
    guard
      let indices = words[name], let costs = doubles[name], indices.count == costs.count,
      indices.allSatisfy({ $0 < UInt64(bound) })
    else { return nil }
    return zip(indices, costs).map { (Int($0), $1) }
  }
}
