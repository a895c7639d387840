import LinearAlgebra

/// What the search needs to know about one block of inputs, the same for all rows.
struct BlockTable: Sendable {
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
struct BlockSearch {
  let pattern: BlockPattern
  /// For each set and pair of members, where their product stands.
  private let pairs: [Int]
  private var weights: [Double]
  private var products: [Double]
  /// The weights of the block that are removed already.
  private var removed: UInt16 = 0
  private var elimination: BlockElimination

  init(pattern: BlockPattern) {
    self.pattern = pattern
    weights = [Double](repeating: 0, count: pattern.size)
    products = [Double](repeating: 0, count: pattern.size * pattern.size)
    elimination = BlockElimination(size: pattern.size)
    pairs = pattern.sets.flatMap { set -> [Int] in
      let all = members(set)
      return all.indices.flatMap { i in (0...i).map { all[i] * pattern.size + all[$0] } }
    }
  }

  /// Goes to one block of a row.
  mutating func load(_ current: Matrix<Float>, _ isKept: [Bool], row: Int, block: Int) {
    removed = 0
    let first = block * pattern.size
    let entries = current.elements
    for place in 0..<pattern.size {
      if isKept[first + place] {
        weights[place] = Double(entries[row * current.columns + first + place])
      } else {
        weights[place] = 0
        removed |= 1 << UInt16(place)
      }
    }
  }

  /// Goes to a block with these weights.
  ///
  /// - Parameters:
  ///   - removed: The weights that stay removed, whatever else is.
  ///   - weight: The weight at each place, also where it is removed.
  mutating func load(removed: UInt16, _ weight: (Int) -> Double) {
    self.removed = removed
    for place in 0..<pattern.size { weights[place] = weight(place) }
  }

  /// The cheapest completion of the removed, for `ρ = 1`, or nothing if the block is complete.
  mutating func cheapest(_ table: BlockTable) -> (set: UInt16, cost: Double)? {
    guard removed.nonzeroBitCount < pattern.removed else { return nil }
    let best = pattern.sets.isEmpty ? eliminated(table.model) : enumerated(table.quadratics.span)
    return (best.set & ~removed, max(0, best.cost))
  }

  /// A set that is cheaper than a complete one, and what it saves for `ρ = 1`.
  ///
  /// - Parameters:
  ///   - present: A set of the pattern that contains the removed.
  ///   - table: The block's model.
  /// - Returns: The cheapest set, or, of many, the best of exchanges one by one; nothing if none
  ///   saves more than rounding can pretend.
  mutating func better(than present: UInt16, _ table: BlockTable) -> (set: UInt16, gain: Double)? {
    elimination.start(table.model, weights: weights)
    for index in 0..<pattern.size where (present & table.model.alive) >> UInt16(index) & 1 == 1 {
      elimination.toggle(index)
    }
    let cost = elimination.cost
    var best = (set: present, cost: cost)
    if pattern.sets.isEmpty {
      improve(among: table.model.alive & ~removed)
      best = (elimination.set | (present & ~table.model.alive), elimination.cost)
    } else {
      best = enumerated(table.quadratics.span)
    }
    guard best.set != present, best.cost < cost * (1 - Self.leastGain) else { return nil }
    return (best.set, cost - best.cost)
  }

  private mutating func enumerated(_ quadratics: Span<Double>) -> (set: UInt16, cost: Double) {
    let size = pattern.size
    for i in 0..<size {
      for j in 0...i { products[i * size + j] = weights[i] * weights[j] }
    }
    var best: (set: UInt16, cost: Double) = (0, .infinity)
    let count = pattern.pairs
    let (sets, places, values) = (pattern.sets.span, pairs.span, products.span)
    for index in sets.indices where sets[index] & removed == removed {
      var sum = 0.0
      for pair in index * count..<(index + 1) * count {
        sum += quadratics[pair] * values[places[pair]]
      }
      if sum / 2 < best.cost { best = (sets[index], sum / 2) }
    }
    return best
  }

  /// Greedy elimination, then exchanges of a removed weight for a kept one while one of them pays.
  private mutating func eliminated(_ model: BlockModel) -> (set: UInt16, cost: Double) {
    elimination.start(model, weights: weights)
    for index in 0..<pattern.size where (removed & model.alive) >> UInt16(index) & 1 == 1 {
      elimination.toggle(index)
    }
    var wanted = pattern.removed - removed.nonzeroBitCount
    var free: UInt16 = 0
    for index in 0..<pattern.size
    where wanted > 0 && (removed | model.alive) >> UInt16(index) & 1 == 0 {
      free |= 1 << UInt16(index)
      wanted -= 1
    }
    for _ in 0..<wanted { elimination.toggle(cheapestAddition(among: model.alive)) }
    improve(among: model.alive & ~removed)
    return (removed | free | elimination.set, elimination.cost)
  }

  private func cheapestAddition(among candidates: UInt16) -> Int {
    var best = (index: 0, cost: Double.infinity)
    for index in 0..<pattern.size
    where (candidates & ~elimination.set) >> UInt16(index) & 1 == 1 {
      let cost = elimination.addition(index)
      if cost < best.cost { best = (index, cost) }
    }
    return best.index
  }

  /// The share of the cost that an exchange must save, above what rounding can pretend.
  private static let leastGain = 1e-9

  private mutating func improve(among movable: UInt16) {
    for _ in 0..<2 * pattern.size {
      var best = (removed: 0, kept: 0, cost: elimination.cost * (1 - Self.leastGain))
      var isBetter = false
      for out in 0..<pattern.size where (movable & elimination.set) >> UInt16(out) & 1 == 1 {
        for other in 0..<pattern.size
        where (movable & ~elimination.set) >> UInt16(other) & 1 == 1 {
          let cost = elimination.costExchanging(out, for: other)
          guard cost < best.cost else { continue }
          best = (out, other, cost)
          isBetter = true
        }
      }
      guard isBetter else { return }
      elimination.toggle(best.removed)
      elimination.toggle(best.kept)
    }
  }
}
