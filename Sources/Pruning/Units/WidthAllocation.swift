/// Decides how many units each part keeps, so that a goal is met at the least predicted loss.
struct WidthAllocation: Sendable {
  /// One part of the model.
  struct Part: Sendable {
    /// The part, as a place in the model's list.
    let index: Int
    /// The numbers of units that it may keep, falling; the first is what it has.
    let stops: [Int]
    /// What it costs to come to each stop; in the method's unit, rising.
    let losses: [Double]
  }

  let state: UnitState
  let goal: WidthGoal
  /// The parts in the model's order.
  let parts: [Part]

  /// The widths of all blocks when each part is at one of its stops.
  private func widths(at places: [Int]) -> [BlockWidths] {
    var result = state.model.widths
    for (part, place) in zip(parts, places) { apply(part, place, to: &result) }
    return result
  }

  private func apply(_ part: Part, _ place: Int, to widths: inout [BlockWidths]) {
    let block = state.model.parts[part.index].block
    widths[block] = state.widths(widths[block], keeping: part.stops[place], ofPart: part.index)
  }

  private func value(at places: [Int]) -> Double { goal.measure.value(of: widths(at: places)) }
}

extension WidthAllocation {
  /// The same number of units in all parts of a kind that have units: of all combinations that meet
  /// the goal, the one with the least predicted loss.
  ///
  /// - Returns: How many units each part keeps.
  /// - Throws: ``PruningError/goalOutOfReach(name:most:nearest:)`` if none does.
  func uniform() throws(PruningError) -> [Int] {
    let heads = UniformChoice(.heads, parts, state.model)
    let neurons = UniformChoice(.neurons, parts, state.model)
    var best: (places: [Int], loss: Double)?
    var nearest = Double.infinity
    var places = [Int](repeating: 0, count: parts.count)
    for headStops in heads.options {
      heads.set(headStops, in: &places)
      for neuronStops in neurons.options {
        neurons.set(neuronStops, in: &places)
        let value = value(at: places)
        nearest = min(nearest, value)
        guard value <= goal.most else { continue }
        let loss = zip(parts, places).reduce(0) { $0 + $1.0.losses[$1.1] }
        if best.map({ loss < $0.loss }) ?? true { best = (places, loss) }
        // Fewer neurons would only cost more.
        break
      }
    }
    guard let best else {
      throw .goalOutOfReach(name: goal.measure.name, most: goal.most, nearest: nearest)
    }
    return zip(parts, best.places).map { $0.stops[$1] }
  }
}

/// The numbers of units that all parts of one kind may keep in common.
private struct UniformChoice {
  /// The parts of the kind that have units, as positions among all parts.
  private let members: [Int]
  /// The stops of the members for each number that they have in common, falling.
  let options: [[Int]]

  init(_ kind: UnitKind, _ parts: [WidthAllocation.Part], _ model: UnitModel) {
    let members = parts.indices.filter {
      model.parts[parts[$0].index].kind == kind && parts[$0].stops != [0]
    }
    self.members = members
    guard members.contains(where: { parts[$0].stops.count > 1 }) else {
      options = [members.map { _ in 0 }]
      return
    }
    let places = members.map { member in
      Dictionary(uniqueKeysWithValues: zip(parts[member].stops, parts[member].stops.indices))
    }
    options = parts[members[0]].stops.compactMap { count in
      let stops = places.compactMap { $0[count] }
      return stops.count == members.count ? stops : nil
    }
  }

  /// Moves the members to some of their stops.
  func set(_ stops: [Int], in places: inout [Int]) {
    for (member, stop) in zip(members, stops) { places[member] = stop }
  }
}
