import LinearAlgebra

/// The order in which the units of a part go, and what each costs when its turn comes.
///
/// However many units a part loses, it loses the first ones of its path, so a path is all that the
/// shares of the parts are decided by.
package struct UnitPath: Equatable, Sendable {
  /// The units, first to go first.
  package private(set) var units: [Int] = []
  /// What the first `n` removals cost together, at index `n`; in the method's unit.
  package private(set) var losses: [Double] = [0]

  /// Follows the removals of a part.
  ///
  /// - Parameters:
  ///   - kept: The units that are left, rising.
  ///   - limits: How many of them go at most, and after how many removals the rest is priced anew.
  ///   - part: The part; of several sets that with the most units left loses the next one.
  ///   - prices: The costs of units that are left.
  ///   - remove: Removes a unit and returns what that costs.
  /// - Throws: What the two functions throw.
  init<Failure: Error>(
    _ kept: [Int],
    limits: (depth: Int, interval: Int),
    of part: UnitPart,
    prices: ([Int]) throws(Failure) -> [Double],
    remove: (Int) throws(Failure) -> Double
  ) throws(Failure) {
    var left = kept
    var sizes = [Int](repeating: 0, count: part.sets)
    for unit in kept { sizes[part.set(of: unit)] += 1 }
    var costs: [Double] = []
    for position in 0..<limits.depth {
      if position % limits.interval == 0 { costs = try prices(left) }
      let largest = sizes.max() ?? 0
      var best: Int?
      for place in left.indices where sizes[part.set(of: left[place])] == largest {
        if let found = best, costs[found] <= costs[place] { continue }
        best = place
      }
      guard let best else { return }
      let unit = left.remove(at: best)
      costs.remove(at: best)
      sizes[part.set(of: unit)] -= 1
      units.append(unit)
      losses.append((losses.last ?? 0) + (try remove(unit)))
    }
  }

  /// A path that leads nowhere.
  init() {}

  /// A path that was kept: units in order, and one more loss than there are units.
  init(units: [Int], losses: [Double]) {
    self.units = units
    self.losses = losses
  }
}

/// Computes the path of one part.
package struct UnitPass: Sendable {
  private let part: UnitPart
  private let kept: [Int]
  private let depth: Int
  private let plans: [LayerPlan]
  private let settings: PruningSettings

  /// Prepares the pass.
  ///
  /// - Parameters:
  ///   - part: The part.
  ///   - kept: The units that are left, rising.
  ///   - depth: How many of them go at most.
  ///   - plans: What is removed from each layer of the store so far.
  ///   - settings: The method, the damping, and how often costs are computed anew.
  package init(
    _ part: UnitPart,
    kept: [Int],
    depth: Int,
    plans: [LayerPlan],
    settings: PruningSettings
  ) {
    self.part = part
    self.kept = kept
    self.depth = depth
    self.plans = plans
    self.settings = settings
  }

  /// The path of the part.
  ///
  /// - Parameter store: The layers.
  /// - Returns: The order of the units and what is lost on the way.
  /// - Throws: ``PruningError``, or what the store throws.
  package func path(_ store: any LayerStore) throws -> UnitPath {
    let layer = try ActiveLayer(
      try store.problem(at: part.reader),
      plan: plans[part.reader],
      settings: settings
    )
    guard settings.method.repairs else { return try plainPath(layer, store) }
    var elimination = try layer.elimination(of: part)
    let path: UnitPath
    do throws(FactorizationError) {
      path = try UnitPath(
        kept,
        limits: (depth, max(1, (kept.count + settings.steps - 1) / settings.steps)),
        of: part,
        prices: { units throws(FactorizationError) in try elimination.costs(of: units) },
        remove: { unit throws(FactorizationError) in try elimination.remove(unit) }
      )
    } catch {
      throw PruningError.costNotFinite(layer: layer.problem.name)
    }
    guard path.losses.allSatisfy(\.isFinite) else {
      throw PruningError.costNotFinite(layer: layer.problem.name)
    }
    return path
  }

  /// Without a repair no removal changes what another costs.
  private func plainPath(_ layer: ActiveLayer, _ store: any LayerStore) throws -> UnitPath {
    var costs = try layer.plainCosts(of: part, method: settings.method)
    if settings.method == .magnitude {
      for writer in part.writers {
        let norms = try store.problem(at: writer.layer).rowNorms(of: part, writer)
        for unit in costs.indices { costs[unit] += norms[unit] }
      }
    }
    let fixed = costs
    return UnitPath(
      kept,
      limits: (depth, max(1, depth)),
      of: part,
      prices: { units in units.map { fixed[$0] } },
      remove: { fixed[$0] }
    )
  }
}
