import Curvature
import LinearAlgebra

/// The cheapest completion of each block of a layer to an N:M pattern.
///
/// Blocks are consecutive inputs of the whole layer, bias aside, whatever is removed or dead in it.
struct PricedBlocks: PricedLayer {
  /// The number of weights in a block.
  let blockSize: Int
  /// The number of blocks in a row.
  let blocksPerRow: Int
  /// Whether the keys are costs over the number of weights removed.
  let isPerParameter: Bool
  /// What the removals are ordered by: the joint cost of the removed, or that over their number.
  fileprivate(set) var keys: [Float]
  /// The weights to remove, as bits; none in a block that is complete.
  fileprivate(set) var choices: [UInt16]

  func forEach(_ body: (_ index: Int, _ cost: Float, _ count: Int) -> Void) {
    for index in choices.indices where choices[index] != 0 {
      body(index, keys[index], choices[index].nonzeroBitCount)
    }
  }
}

extension ActiveLayer {
  /// Prices the blocks of the layer.
  ///
  /// - Parameters:
  ///   - current: The weights after the repairs so far; shape `[outputs, inputs (+1)]`.
  ///   - pattern: N and M.
  ///   - settings: The method and the order.
  ///   - conditioned: The factorised kept parts, for the method that repairs.
  func pricedBlocks(
    _ current: Matrix<Float>,
    pattern: BlockPattern,
    settings: PruningSettings,
    conditioned: ConditionedFactors?
  ) throws(PruningError) -> PricedBlocks {
    let count = problem.mask.inputs / pattern.size
    let rows = problem.mask.outputs
    let models = blockModels(pattern, method: settings.method, conditioned: conditioned)
    let tables: [BlockTable]
    do {
      tables = try models.map { try BlockTable($0, pattern: pattern) }
    } catch {
      throw .curvature(
        layer: problem.name,
        .notPositiveDefinite(order: pattern.size, damping: settings.damping.activations)
      )
    }
    let prices = ElementPrices(self, method: settings.method, conditioned: conditioned).rows
    let isPerParameter = settings.order == .costPerParameter
    var result = PricedBlocks(
      blockSize: pattern.size,
      blocksPerRow: count,
      isPerParameter: isPerParameter,
      keys: [Float](repeating: 0, count: rows * count),
      choices: [UInt16](repeating: 0, count: rows * count)
    )
    guard count > 0 else { return result }
    let mask = plan.mask
    concurrentChunks(
      of: &result.keys,
      size: count,
      and: &result.choices,
      size: count
    ) { row, keys, choices in
      var search = BlockSearch(pattern: pattern)
      for block in 0..<count {
        search.load(current, mask, row: row, block: block)
        guard let found = search.cheapest(tables[block]) else { continue }
        let number = isPerParameter ? Double(found.set.nonzeroBitCount) : 1
        keys[block] = Float(found.cost * prices[row] / number)
        choices[block] = found.set
      }
    }
    return result
  }

  /// The block of `A⁻¹` or `A` for each block of inputs.
  private func blockModels(
    _ pattern: BlockPattern,
    method: Method,
    conditioned: ConditionedFactors?
  ) -> [BlockModel] {
    let count = problem.mask.inputs / pattern.size
    var places = [Range<Int>](repeating: 0..<0, count: count)
    var next = 0
    for block in 0..<count {
      let start = next
      while next < keptColumns.count, keptColumns[next] < (block + 1) * pattern.size { next += 1 }
      places[block] = start..<next
    }
    let inverses = conditioned?.activations.cholesky.inverseBlocks(places)
    return (0..<count).map { block in
      let columns = keptColumns[places[block]].map { $0 - block * pattern.size }
      let part = inverses?[block] ?? plainBlock(block, columns, pattern: pattern, method: method)
      var matrix = Matrix<Double>(rows: pattern.size, columns: pattern.size)
      matrix.scatter(part, rows: columns, columns: columns)
      return BlockModel(
        kind: inverses == nil ? .plain : .repaired,
        matrix: matrix,
        alive: columns.reduce(0) { $0 | 1 << UInt16($1) }
      )
    }
  }

  private func plainBlock(
    _ block: Int,
    _ columns: [Int],
    pattern: BlockPattern,
    method: Method
  ) -> Matrix<Double> {
    guard method != .magnitude, let factors else { return .identity(columns.count) }
    let indices = columns.map { $0 + block * pattern.size }
    return factors.activations.matrix.selecting(rows: indices, columns: indices).widened()
  }
}

/// What the search needs to know about one block of inputs, the same for all rows.
private struct BlockTable: Sendable {
  let model: BlockModel
  /// For each set of the pattern the matrix `P`, one number for each pair, those of different
  /// members doubled.
  let quadratics: [Double]

  init(_ model: BlockModel, pattern: BlockPattern) throws(FactorizationError) {
    self.model = model
    var quadratics: [Double] = []
    quadratics.reserveCapacity(pattern.sets.count * pattern.pairs)
    for set in pattern.sets {
      let quadratic = try model.quadratic(of: set)
      for i in 0..<pattern.removed {
        for j in 0...i { quadratics.append(quadratic[i, j] * (i == j ? 1 : 2)) }
      }
    }
    self.quadratics = quadratics
  }
}

/// Finds the cheapest set of one block after the other, reusing its storage.
private struct BlockSearch {
  let pattern: BlockPattern
  private let pairs: [(Int, Int)]
  private var weights: [Double]
  private var products: [Double]
  /// The weights of the block that are removed already.
  private var removed: UInt16 = 0

  init(pattern: BlockPattern) {
    self.pattern = pattern
    weights = [Double](repeating: 0, count: pattern.size)
    products = [Double](repeating: 0, count: pattern.size * pattern.size)
    pairs = pattern.sets.flatMap { set -> [(Int, Int)] in
      let all = members(set)
      return all.indices.flatMap { i in (0...i).map { (all[i], all[$0]) } }
    }
  }

  mutating func load(_ current: Matrix<Float>, _ mask: LayerMask, row: Int, block: Int) {
    removed = 0
    for place in 0..<pattern.size {
      let column = block * pattern.size + place
      let isKept = mask.keeps(row: row, column: column)
      weights[place] = isKept ? Double(current[row, column]) : 0
      if !isKept { removed |= 1 << UInt16(place) }
    }
  }

  /// The cheapest completion of the removed, for `ρ = 1`, or nothing if the block is complete.
  mutating func cheapest(_ table: BlockTable) -> (set: UInt16, cost: Double)? {
    guard removed.nonzeroBitCount < pattern.removed else { return nil }
    let best = pattern.sets.isEmpty ? eliminated(table) : enumerated(table)
    return (best.set & ~removed, max(0, best.cost))
  }

  private mutating func enumerated(_ table: BlockTable) -> (set: UInt16, cost: Double) {
    for i in 0..<pattern.size {
      for j in 0...i { products[i * pattern.size + j] = weights[i] * weights[j] }
    }
    var best: (set: UInt16, cost: Double) = (0, .infinity)
    let count = pattern.pairs
    for (index, set) in pattern.sets.enumerated() where set & removed == removed {
      var sum = 0.0
      for pair in index * count..<(index + 1) * count {
        let (i, j) = pairs[pair]
        sum += table.quadratics[pair] * products[i * pattern.size + j]
      }
      if sum / 2 < best.cost { best = (set, sum / 2) }
    }
    return best
  }

  /// Greedy elimination, then exchanges of a removed weight for a kept one while one of them pays.
  private func eliminated(_ table: BlockTable) -> (set: UInt16, cost: Double) {
    let alive = table.model.alive
    var state = BlockElimination(table.model, weights: weights)
    for index in members(removed & alive) { state.toggle(index) }
    let dead = members(~(removed | alive)).filter { $0 < pattern.size }
    let wanted = pattern.removed - removed.nonzeroBitCount
    let free = dead.prefix(wanted).reduce(into: UInt16(0)) { $0 |= 1 << UInt16($1) }
    for _ in 0..<wanted - free.nonzeroBitCount {
      state.toggle(cheapestAddition(state, among: alive & ~state.set).index)
    }
    improve(&state, among: alive & ~removed)
    return (removed | free | state.set, state.cost)
  }

  private func cheapestAddition(
    _ state: BlockElimination,
    among candidates: UInt16
  ) -> (index: Int, cost: Double) {
    var best = (index: 0, cost: Double.infinity)
    for index in members(candidates) {
      let cost = state.addition(index)
      if cost < best.cost { best = (index, cost) }
    }
    return best
  }

  /// The share of the cost that an exchange must save, above what rounding can pretend.
  private static let leastGain = 1e-9

  private func improve(_ state: inout BlockElimination, among movable: UInt16) {
    for _ in 0..<2 * pattern.size {
      var best: (state: BlockElimination, cost: Double)?
      for index in members(state.set & movable) {
        var trial = state
        trial.toggle(index)
        let other = cheapestAddition(trial, among: movable & ~state.set)
        let cost = trial.cost + other.cost
        if cost < state.cost * (1 - Self.leastGain), cost < best?.cost ?? .infinity {
          trial.toggle(other.index)
          best = (trial, cost)
        }
      }
      guard let best else { return }
      state = best.state
    }
  }
}
