/// Whether a structure is a row or a column.
package enum Axis: String, Hashable, Sendable {
  /// One output.
  case row
  /// One input.
  case column
}

/// One row or column of one layer of a store.
package struct StructureID: Hashable, Sendable {
  /// The layer's place in the store.
  package let layer: Int
  /// Row or column.
  package let axis: Axis
  /// Which one.
  package let index: Int

  /// Names a row or column.
  package init(layer: Int, axis: Axis, index: Int) {
    self.layer = layer
    self.axis = axis
    self.index = index
  }
}

/// What becomes free across layers: once all causes are removed, nothing reads or writes the rest.
///
/// The caller knows the model and states, say, that without column 7 of a down projection the rows
/// 7 of gate and up do nothing. A freed structure is removed with the last of its causes, counts
/// towards the target, and no repair makes up for it.
package struct Consequence: Hashable, Sendable {
  /// The structures that must all be removed.
  package let causes: [StructureID]
  /// The structures that have no effect then.
  package let freed: [StructureID]

  /// States a consequence.
  package init(causes: [StructureID], freed: [StructureID]) {
    self.causes = causes
    self.freed = freed
  }
}

/// All consequences of a store, indexed by their causes.
struct ConsequenceGraph: Sendable {
  /// Where the numbers of each layer begin: first its rows, then its columns.
  private let offsets: [Int]
  private let rowCounts: [Int]
  private let consequences: [Consequence]
  private let freed: [[Int]]
  /// For each structure the consequences that it is a cause of.
  private let uses: [Int: [Int]]
  /// How many causes of each consequence are not removed yet.
  private(set) var waiting: [Int]

  init(_ consequences: [Consequence], masks: [LayerMask]) throws(PruningError) {
    var offsets = [0]
    for mask in masks { offsets.append((offsets.last ?? 0) + mask.outputs + mask.inputs) }
    self.offsets = offsets
    rowCounts = masks.map(\.outputs)
    func number(_ id: StructureID) throws(PruningError) -> Int {
      guard masks.indices.contains(id.layer) else {
        throw .noSuchStructure(layer: id.layer, index: id.index)
      }
      let mask = masks[id.layer]
      let bound = id.axis == .row ? mask.outputs : mask.inputs
      guard id.index >= 0, id.index < bound else {
        throw .noSuchStructure(layer: id.layer, index: id.index)
      }
      return offsets[id.layer] + (id.axis == .row ? 0 : mask.outputs) + id.index
    }
    var uses: [Int: [Int]] = [:]
    var freed: [[Int]] = []
    var waiting: [Int] = []
    for (place, consequence) in consequences.enumerated() {
      var causes: Set<Int> = []
      for cause in consequence.causes { causes.insert(try number(cause)) }
      for cause in causes { uses[cause, default: []].append(place) }
      waiting.append(causes.count)
      var numbers: [Int] = []
      for id in consequence.freed { numbers.append(try number(id)) }
      freed.append(numbers)
    }
    self.uses = uses
    self.consequences = consequences
    self.freed = freed
    self.waiting = waiting
  }

  /// Notes that a structure is removed.
  ///
  /// - Returns: The consequences that this was the last cause of; some of what they free may be removed
  ///   already.
  mutating func remove(_ id: StructureID) -> [Consequence] {
    var result: [Consequence] = []
    for place in uses[number(id)] ?? [] {
      waiting[place] -= 1
      if waiting[place] == 0 { result.append(consequences[place]) }
    }
    return result
  }

  /// What the removal of one structure alone would free, directly or by what it frees.
  func closure(of id: StructureID) -> [StructureID] {
    guard !uses.isEmpty, uses[number(id)] != nil else { return [] }
    var found = [number(id)]
    var next = 0
    while next < found.count {
      for place in uses[found[next]] ?? [] where waiting[place] == 1 {
        for number in freed[place] where !found.contains(number) { found.append(number) }
      }
      next += 1
    }
    return found.dropFirst().map(structure)
  }

  private func number(_ id: StructureID) -> Int {
    offsets[id.layer] + (id.axis == .row ? 0 : rowCounts[id.layer]) + id.index
  }

  private func structure(_ number: Int) -> StructureID {
    var (low, high) = (0, offsets.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if offsets[middle] <= number { low = middle } else { high = middle }
    }
    let index = number - offsets[low]
    return index < rowCounts[low]
      ? StructureID(layer: low, axis: .row, index: index)
      : StructureID(layer: low, axis: .column, index: index - rowCounts[low])
  }
}
