extension WidthAllocation {
  /// Removes whatever costs least for what it takes off the measure, wherever it is.
  ///
  /// From its present stop each part offers the later stop with the least loss per amount taken off;
  /// for rising costs that is the next one. The best offer is taken until the goal is met. What the
  /// last ones took too much is given back where that saves most, until no part can go back by one
  /// stop.
  ///
  /// - Returns: How many units each part keeps.
  /// - Throws: ``PruningError/goalOutOfReach(name:most:nearest:)`` if all offers together do not meet
  ///   the goal.
  func global() throws(PruningError) -> [Int] {
    var walk = Walk(self)
    try walk.descend()
    walk.giveBack()
    return zip(parts, walk.places).map { $0.stops[$1] }
  }
}

/// A way through the stops of all parts.
private struct Walk {
  private let allocation: WidthAllocation
  /// The stop that each part is at.
  private(set) var places: [Int]
  private var widths: [BlockWidths]
  /// What each block contributes to the measure at its widths.
  private var values: [Double]
  /// The next stops that each part offers, with the loss per amount taken off; last one first.
  private var offers: [[Offer]]

  private struct Offer {
    let place: Int
    let price: Double
  }

  init(_ allocation: WidthAllocation) {
    self.allocation = allocation
    places = [Int](repeating: 0, count: allocation.parts.count)
    let widths = allocation.state.widths
    self.widths = widths
    let measure = allocation.goal.measure
    values = widths.enumerated().map { measure.value(of: $0.element, block: $0.offset) }
    offers = []
    offers = places.indices.map { offersFrom($0) }
  }

  private var total: Double { values.reduce(allocation.goal.measure.constant, +) }
  private var isDone: Bool { total <= allocation.goal.most }

  private func block(_ part: Int) -> Int {
    allocation.state.model.parts[allocation.parts[part].index].block
  }

  /// What a part's block would contribute with the part at another stop.
  private func value(_ part: Int, at place: Int) -> Double {
    let (entry, block) = (allocation.parts[part], block(part))
    let other = allocation.state.widths(
      widths[block],
      keeping: entry.stops[place],
      ofPart: entry.index
    )
    return allocation.goal.measure.value(of: other, block: block)
  }

  private mutating func move(_ part: Int, to place: Int) {
    let (entry, block) = (allocation.parts[part], block(part))
    widths[block] = allocation.state.widths(
      widths[block],
      keeping: entry.stops[place],
      ofPart: entry.index
    )
    values[block] = allocation.goal.measure.value(of: widths[block], block: block)
    places[part] = place
    for other in places.indices where other != part && self.block(other) == block {
      offers[other] = offersFrom(other)
    }
  }

  /// The corners of the lower convex hull of loss over amount taken off, from the present stop on.
  private func offersFrom(_ part: Int) -> [Offer] {
    let entry = allocation.parts[part]
    let start = places[part]
    let now = value(part, at: start)
    var corners = [(place: start, gain: 0.0, loss: entry.losses[start])]
    for place in entry.stops.indices.dropFirst(start + 1) {
      let point = (place: place, gain: now - value(part, at: place), loss: entry.losses[place])
      guard point.gain > corners[corners.count - 1].gain else { continue }
      while corners.count > 1 {
        let (last, before) = (corners[corners.count - 1], corners[corners.count - 2])
        let old = (last.loss - before.loss) * (point.gain - before.gain)
        guard old >= (point.loss - before.loss) * (last.gain - before.gain) else { break }
        corners.removeLast()
      }
      corners.append(point)
    }
    return zip(corners, corners.dropFirst()).map { before, after in
      Offer(place: after.place, price: (after.loss - before.loss) / (after.gain - before.gain))
    }
    .reversed()
  }

  /// Takes offers until the goal is met, of the last one only as much as it needs.
  mutating func descend() throws(PruningError) {
    while !isDone {
      var best: Int?
      for part in offers.indices {
        guard let offer = offers[part].last else { continue }
        if let found = best, let other = offers[found].last, other.price <= offer.price { continue }
        best = part
      }
      guard let part = best, let offer = offers[part].popLast() else {
        let goal = allocation.goal
        throw .goalOutOfReach(name: goal.measure.name, most: goal.most, nearest: total)
      }
      let rest = total - values[block(part)]
      let enough = (places[part] + 1..<offer.place).first {
        rest + value(part, at: $0) <= allocation.goal.most
      }
      move(part, to: enough ?? offer.place)
    }
  }

  /// Goes back one stop at a time where the goal allows it and the most loss is saved.
  mutating func giveBack() {
    while true {
      var best: (part: Int, saving: Double)?
      for part in places.indices where places[part] > 0 {
        let losses = allocation.parts[part].losses
        let saving = losses[places[part]] - losses[places[part] - 1]
        if let best, best.saving >= saving { continue }
        let rest = total - values[block(part)]
        guard rest + value(part, at: places[part] - 1) <= allocation.goal.most else { continue }
        best = (part, saving)
      }
      guard let best else { return }
      move(best.part, to: places[best.part] - 1)
    }
  }
}
