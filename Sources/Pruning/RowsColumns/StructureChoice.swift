/// Removes whole rows and columns in the order of their costs until a target is met.
struct StructureChoice: Sendable {
  /// What is removed so far.
  private(set) var plans: [LayerPlan]
  private var counters: [WeightCounter]
  private var graph: ConsequenceGraph

  /// Starts from what earlier calibrations removed, and removes what that makes free.
  init(_ plans: [LayerPlan], consequences: [Consequence]) throws(PruningError) {
    self.plans = plans
    counters = plans.map { WeightCounter($0.mask) }
    graph = try ConsequenceGraph(consequences, masks: plans.map(\.mask))
    for (layer, plan) in plans.enumerated() {
      for index in 0..<plan.mask.outputs where !plan.mask.keptRows[index] {
        follow(StructureID(layer: layer, axis: .row, index: index))
      }
      for index in 0..<plan.mask.inputs where !plan.mask.keptColumns[index] {
        follow(StructureID(layer: layer, axis: .column, index: index))
      }
    }
  }

  /// Removes structures, cheapest first, until the budgets are met.
  ///
  /// - Parameters:
  ///   - budget: How many weights are to be removed, of all layers or of each.
  ///   - costs: One entry for each layer.
  ///   - settings: The structure and the order.
  mutating func remove(
    until budget: RemovalBudget,
    costs: [StructureCosts],
    settings: PruningSettings
  ) {
    var removed = plans.map(\.mask.removedWeights)
    for candidate in candidates(costs, settings: settings) {
      if budget.isMet(by: removed) { return }
      let id = candidate.id
      guard isKept(id), !budget.isMet(by: removed, in: id.layer) else { continue }
      plans[id.layer].predictedCost += candidate.cost
      removed[id.layer] += cut(id)
      for freed in follow(id) { removed[freed.layer] += freed.weights }
    }
  }

  /// All kept structures, cheapest first; ties by layer, rows before columns, index.
  private func candidates(_ costs: [StructureCosts], settings: PruningSettings) -> [Candidate] {
    var result: [Candidate] = []
    func add(_ id: StructureID, _ cost: Double) {
      let weights = weightsFreed(by: id)
      guard weights > 0 else { return }
      let key = settings.order == .cost ? cost : cost / Double(weights)
      result.append(Candidate(key: key, place: result.count, id: id, cost: cost))
    }
    for (layer, entry) in costs.enumerated() {
      if settings.structure != .columns {
        for (index, cost) in entry.rows {
          add(StructureID(layer: layer, axis: .row, index: index), cost)
        }
      }
      if settings.structure != .rows {
        for (index, cost) in entry.columns {
          add(StructureID(layer: layer, axis: .column, index: index), cost)
        }
      }
    }
    result.sort { ($0.key, $0.place) < ($1.key, $1.place) }
    return result
  }

  /// The weights that go with a structure, including those that it makes free.
  private func weightsFreed(by id: StructureID) -> Int {
    graph.closure(of: id).filter(isKept).reduce(weights(of: id)) { $0 + weights(of: $1) }
  }

  private func weights(of id: StructureID) -> Int {
    counters[id.layer].weights(of: id.axis, id.index)
  }

  private func isKept(_ id: StructureID) -> Bool {
    let mask = plans[id.layer].mask
    return id.axis == .row ? mask.keptRows[id.index] : mask.keptColumns[id.index]
  }

  /// Removes one structure and returns the number of weights that went with it.
  private mutating func cut(_ id: StructureID) -> Int {
    counters[id.layer].remove(id.axis, id.index, from: &plans[id.layer].mask)
  }

  /// Removes everything that a removal makes free.
  ///
  /// What its costs had removed before is free now too, so that no repair makes up for it twice. Not so
  /// where the causes are all free themselves: something has to make up for what both were worth.
  @discardableResult
  private mutating func follow(_ id: StructureID) -> [(layer: Int, weights: Int)] {
    var result: [(layer: Int, weights: Int)] = []
    var open = graph.remove(id)
    while let next = open.popLast() {
      let isMadeUpFor = next.causes.contains { !isFreed($0) }
      for freed in next.freed {
        let isKept = isKept(freed)
        guard isKept || isMadeUpFor else { continue }
        setFreed(freed)
        guard isKept else { continue }
        result.append((freed.layer, cut(freed)))
        open += graph.remove(freed)
      }
    }
    return result
  }

  private func isFreed(_ id: StructureID) -> Bool {
    let plan = plans[id.layer]
    return id.axis == .row ? plan.freedRows[id.index] : plan.freedColumns[id.index]
  }

  private mutating func setFreed(_ id: StructureID) {
    switch id.axis {
    case .row: plans[id.layer].freedRows[id.index] = true
    case .column: plans[id.layer].freedColumns[id.index] = true
    }
  }

  private struct Candidate {
    let key: Double
    let place: Int
    let id: StructureID
    let cost: Double
  }
}

/// How many weights are to be removed.
enum RemovalBudget: Equatable, Sendable {
  /// Of all layers together.
  case total(Int)
  /// Of each layer.
  case each([Int])
  /// Whatever the structure can remove.
  case everything

  /// The share `target` of the weights, rounded to a whole number of them.
  ///
  /// All that a pattern can remove is everything, so that no block stays incomplete because another
  /// lost more than it had to.
  init(_ target: Double, of plans: [LayerPlan], settings: PruningSettings) {
    if case .nm = settings.structure, target >= settings.structure.largestShare {
      self = .everything
      return
    }
    func share(_ count: Int) -> Int { Int((target * Double(count)).rounded()) }
    let counts = plans.map(\.mask.weightCount)
    switch settings.allocation {
    case .global: self = .total(share(counts.reduce(0, +)))
    case .uniform, .owl: self = .each(counts.map(share))
    }
  }

  func isMet(by removed: [Int]) -> Bool {
    switch self {
    case .total(let count): removed.reduce(0, +) >= count
    case .each(let counts): zip(removed, counts).allSatisfy { $0 >= $1 }
    case .everything: false
    }
  }

  func isMet(by removed: [Int], in layer: Int) -> Bool {
    switch self {
    case .total, .everything: false
    case .each(let counts): removed[layer] >= counts[layer]
    }
  }
}

/// How many weights each row and column of a layer still has.
private struct WeightCounter: Sendable {
  private var keptRows: Int
  private var keptColumns: Int
  /// The kept weights of each row and column, where single weights are removed too.
  private var counts: (rows: [Int], columns: [Int])?

  init(_ mask: LayerMask) {
    keptRows = mask.keptRows.population
    keptColumns = mask.keptColumns.population
    guard let elements = mask.keptElements else { return }
    var columns = [Int](repeating: 0, count: mask.inputs)
    var rows = [Int](repeating: 0, count: mask.outputs)
    for index in elements.indices {
      rows[index / mask.inputs] += 1
      columns[index % mask.inputs] += 1
    }
    counts = (rows, columns)
  }

  func weights(of axis: Axis, _ index: Int) -> Int {
    switch axis {
    case .row: counts?.rows[index] ?? keptColumns
    case .column: counts?.columns[index] ?? keptRows
    }
  }

  mutating func remove(_ axis: Axis, _ index: Int, from mask: inout LayerMask) -> Int {
    let removed = weights(of: axis, index)
    if counts != nil { removeCounts(axis, index, mask) }
    switch axis {
    case .row:
      keptRows -= 1
      mask.remove(rows: CollectionOfOne(index))
    case .column:
      keptColumns -= 1
      mask.remove(columns: CollectionOfOne(index))
    }
    return removed
  }

  private mutating func removeCounts(_ axis: Axis, _ index: Int, _ mask: LayerMask) {
    switch axis {
    case .row:
      for column in 0..<mask.inputs where mask.keeps(row: index, column: column) {
        counts?.columns[column] -= 1
      }
      counts?.rows[index] = 0
    case .column:
      for row in 0..<mask.outputs where mask.keeps(row: row, column: index) {
        counts?.rows[row] -= 1
      }
      counts?.columns[index] = 0
    }
  }
}
