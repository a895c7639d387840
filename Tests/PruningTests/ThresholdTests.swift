import Foundation
import LinearAlgebra
import Testing

@testable import Pruning

/// A layer whose costs are made when they are looked at, from their place among those of all layers.
///
/// Over all layers the place `p` has the rank `p · step mod total`, each rank once, and `ties`
/// consecutive ranks have one cost.
private struct MadeLayer: ChoosableLayer {
  static let ties: UInt64 = 1024

  let first: Int
  let rows: Int
  let inputs: Int
  let total: Int
  let step: Int

  var rowsPerPiece: Int { max(1, PricedPiece.weights / inputs) }
  var pieces: Int { (rows + rowsPerPiece - 1) / rowsPerPiece }

  /// The ranks of some places, one after the other.
  @inline(__always)
  func ranks(of range: Range<Int>, _ body: (Int, UInt64) -> Void) {
    let (total, step) = (UInt64(total), UInt64(step))
    let product = UInt64(first + range.lowerBound).multipliedFullWidth(by: step)
    var rank = total.dividingFullWidth(product).remainder
    for place in range {
      body(place, rank)
      rank += step
      if rank >= total { rank -= total }
    }
  }

  func piece(_ index: Int, keeping _: LayerMask) -> PricedPiece {
    let start = index * rowsPerPiece * inputs
    let end = min(rows * inputs, start + rowsPerPiece * inputs)
    var costs = [Float](repeating: 0, count: end - start)
    ranks(of: start..<end) { costs[$0 - start] = Float($1 / Self.ties) }
    return PricedPiece(first: start, costs: costs)
  }

  func remove(_ place: Int, of piece: PricedPiece, from mask: inout LayerMask) -> Double {
    let (row, column) = (piece.first + place).quotientAndRemainder(dividingBy: inputs)
    mask.removeElement(row: row, column: column)
    return Double(piece.costs[place])
  }
}

/// A layer of given costs in pieces of a few.
private struct ListedLayer: ChoosableLayer {
  let costs: [Float]
  let size: Int

  var pieces: Int { (costs.count + size - 1) / size }

  func piece(_ index: Int, keeping mask: LayerMask) -> PricedPiece {
    let range = index * size..<min(costs.count, (index + 1) * size)
    return PricedPiece(
      first: range.lowerBound,
      costs: range.map {
        mask.keeps(row: 0, column: $0) ? costs[$0] : PricedPiece.nothing
      }
    )
  }

  func remove(_ place: Int, of piece: PricedPiece, from mask: inout LayerMask) -> Double {
    mask.removeElement(row: 0, column: piece.first + place)
    return Double(piece.costs[place])
  }
}

@Suite("One threshold over all layers")
struct ThresholdTests {
  @Test(
    "chooses what a sort chooses, ties by layer and place, whatever the pieces",
    arguments: 1...12
  )
  func sorted(seed: Int) {
    var random = Random(seed)
    let values: [Float] = [0, 0, 1e-38, 1, 1, 1.0000001, 7, 3e38, .infinity]
    let layers = (0..<4).map { _ in
      ListedLayer(
        costs: (0..<Int(random.next() % 40)).map { _ in
          values[Int(random.next() % UInt64(values.count))]
        },
        size: 1 + Int(random.next() % 7)
      )
    }
    var plans = layers.enumerated().map {
      LayerPlan(name: "\($0)", mask: LayerMask(outputs: 1, inputs: $1.costs.count))
    }
    // Some are gone already.
    for layer in plans.indices where layers[layer].costs.count > 2 {
      plans[layer].mask.removeElement(row: 0, column: 1)
    }
    let before = plans
    var open: [(cost: Float, layer: Int, place: Int)] = []
    for (layer, costs) in layers.map(\.costs).enumerated() {
      for (place, cost) in costs.enumerated() where before[layer].mask.keeps(row: 0, column: place)
      {
        open.append((cost, layer, place))
      }
    }
    let gone = before.reduce(0) { $0 + $1.mask.removedWeights }
    for count in [1, open.count / 3, open.count - 1, open.count] where count > 0 {
      plans = before
      removeCheapest(until: .total(gone + count), of: layers, from: &plans)
      let sorted = open.sorted { $0 < $1 }
      for (rank, entry) in sorted.enumerated() {
        #expect(plans[entry.layer].mask.keeps(row: 0, column: entry.place) == (rank >= count))
      }
      #expect(plans.reduce(0) { $0 + $1.mask.removedWeights } == gone + count)
    }
  }

  @Test("billions of costs need no list of them; SURGEON_COSTS says how many")
  func many() throws {
    let asked = ProcessInfo.processInfo.environment["SURGEON_COSTS"].flatMap { Double($0) }
    let (number, inputs) = (13, 1000)
    let rows = max(1, Int(asked ?? 1.3e6) / (number * inputs))
    let total = number * rows * inputs
    // Prime to all totals of this form that have not this factor.
    let step = 2_654_435_761 % total
    try #require(greatestCommonDivisor(step, total) == 1)
    let layers = (0..<number).map {
      MadeLayer(first: $0 * rows * inputs, rows: rows, inputs: inputs, total: total, step: step)
    }
    var plans = layers.map { _ in
      LayerPlan(name: "", mask: LayerMask(outputs: rows, inputs: inputs))
    }
    let count = total / 2 + 77
    let start = clock()
    let wall = ContinuousClock().measure {
      removeCheapest(until: .total(count), of: layers, from: &plans)
    }
    if asked != nil {
      // POSIX fixes the unit of `clock` at a millionth of a second.
      let processor = Double(clock() - start) / 1e6
      let line = "\(total) costs: \(wall), processor \(processor) s\n"
      FileHandle.standardError.write(Data(line.utf8))
    }
    let masks = plans.map(\.mask)
    let level = UInt64(count - 1) / MadeLayer.ties
    let found = concurrentMap(count: number) { layer in
      tally(layers[layer], masks[layer], level: level)
    }
    #expect(found.allSatisfy { $0.isInOrder })
    #expect(found.reduce(0) { $0 + $1.removedTies } == count - Int(level * MadeLayer.ties))
    #expect(masks.reduce(0) { $0 + $1.removedWeights } == count)
    // Ties of a layer go only when those of the layers before it are gone.
    let last = found.lastIndex { $0.removedTies > 0 } ?? 0
    #expect(found.prefix(last).allSatisfy { $0.removedTies == $0.ties })
  }

  @Test("a weight that is no number ends the search with the layer's name")
  func notANumber() throws {
    let problem = try sampleProblem(1, rows: 3, inputs: 4)
    let plan = LayerPlan(name: problem.name, mask: problem.mask)
    let settings = try PruningSettings(structure: .element, method: .magnitude, target: 0.5)
    let active = try ActiveLayer(problem, plan: plan, settings: settings)
    var weights = try LayerNumbers<Float>(counts: [12], directory: nil)
    try weights.keep((0..<12).map { $0 == 7 ? .nan : Float($0) }, layer: 0)
    let layer = PricedElements(
      name: problem.name,
      weights: weights,
      layer: 0,
      prices: try ElementPrices(active, method: .magnitude, conditioned: nil),
      inputs: 4
    )
    var plans = [plan]
    #expect(throws: PruningError.costNotFinite(layer: problem.name)) {
      try removeCheapest(until: .total(3), of: [layer], from: &plans)
    }
    #expect(plans == [plan])
  }
}

/// What was removed of a layer's costs.
private struct Tally: Sendable {
  /// The costs that are those of the threshold, and how many of them were removed.
  var ties = 0
  var removedTies = 0
  /// Whether all below the threshold went, none above, and the first of those at it.
  var isInOrder = true
}

private func tally(_ layer: MadeLayer, _ mask: LayerMask, level: UInt64) -> Tally {
  var result = Tally()
  for row in 0..<layer.rows {
    let flags = mask.keptFlags(row: row)
    layer.ranks(of: row * layer.inputs..<(row + 1) * layer.inputs) { place, rank in
      let isRemoved = !flags[place - row * layer.inputs]
      let own = rank / MadeLayer.ties
      guard own == level else {
        result.isInOrder = result.isInOrder && isRemoved == (own < level)
        return
      }
      if isRemoved {
        result.isInOrder = result.isInOrder && result.ties == result.removedTies
        result.removedTies += 1
      }
      result.ties += 1
    }
  }
  return result
}

private func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
  second == 0 ? first : greatestCommonDivisor(second, first % second)
}
