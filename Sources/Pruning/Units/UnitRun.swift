import LinearAlgebra

/// Chooses the units of a model to remove at one calibration.
///
/// Each part's path is followed once, with the exact sequential costs; then the goal decides how far
/// every part goes. The plan is repaired by ``PruningRun/repair(_:progress:receive:)``: what the
/// readers lost is made up for by their remaining columns, the writers keep their other rows as they
/// are.
package struct UnitRun: Sendable {
  private let store: any LayerStore
  private let settings: PruningSettings
  private let goal: WidthGoal
  private let kinds: Set<UnitKind>
  private var state: UnitState

  /// Prepares a run.
  ///
  /// - Parameters:
  ///   - store: The layers.
  ///   - settings: What to do; the structure is one of units.
  ///   - model: The units of the layers.
  ///   - goal: How much may be left; its share of the weights that the settings name is not used.
  /// - Throws: ``PruningError`` if a setting is out of range or the units do not fit the layers.
  package init(
    store: any LayerStore,
    settings: PruningSettings,
    model: UnitModel,
    goal: WidthGoal
  ) throws(PruningError) {
    try settings.validate()
    guard case .units(let kinds) = settings.structure else {
      throw .unitsMissing(settings.structure)
    }
    self.store = store
    self.settings = settings
    self.goal = goal
    self.kinds = kinds
    state = try UnitState(model, layers: store.layers)
  }

  /// The widths that are left.
  package var widths: [BlockWidths] { state.widths }

  /// Chooses what to remove.
  ///
  /// - Parameter progress: Told of each part, by its reader.
  /// - Returns: The plan; it contains what earlier calibrations removed.
  /// - Throws: ``PruningError``, or what the store throws.
  package mutating func choose(
    progress: @escaping ProgressHandler = { _ in }
  ) throws -> PruningPlan {
    let stops = state.model.parts.indices.map {
      state.stops(ofPart: $0, settings.constraints, kinds: kinds)
    }
    let dry = allocation(stops, paths: nil)
    if goal.measure.value(of: state.widths) > goal.most {
      // Finds out before the work whether the goal can be met at all.
      _ = try shares(dry)
      let paths = try paths(stops, progress: progress)
      let counts = try shares(allocation(stops, paths: paths))
      for (index, count) in counts.enumerated() {
        let number = state.kept[index].count - count
        let path = paths[index]
        state.remove(path.units.prefix(number), cost: path.losses[number], fromPart: index)
      }
    }
    return PruningPlan(settings: settings, layers: state.plans)
  }

  private func shares(_ allocation: WidthAllocation) throws(PruningError) -> [Int] {
    switch settings.allocation {
    case .global: try allocation.global()
    case .uniform, .owl: try allocation.uniform()  // `owl` was refused with the settings.
    }
  }

  /// The parts with their losses; without paths all removals cost the same.
  private func allocation(_ stops: [[Int]], paths: [UnitPath]?) -> WidthAllocation {
    let parts = stops.enumerated().map { index, stops in
      WidthAllocation.Part(
        index: index,
        stops: stops,
        losses: stops.map { stop in
          let removed = stops[0] - stop
          return paths.map { $0[index].losses[removed] } ?? Double(removed)
        }
      )
    }
    return WidthAllocation(state: state, goal: goal, parts: parts)
  }

  /// The paths of the parts that may lose anything, each as far as it may be followed.
  private func paths(
    _ stops: [[Int]],
    progress: @escaping ProgressHandler
  ) throws -> [UnitPath] {
    var result = [UnitPath](repeating: UnitPath(), count: stops.count)
    let open = stops.indices.filter { stops[$0].count > 1 }
    let (state, settings, store) = (state, settings, store)
    try store.forEachLayer(open.map { state.model.parts[$0].reader }) { place in
      let index = open[place]
      let part = state.model.parts[index]
      progress(PruningProgress(stage: .pricing(step: 0), layer: part.reader))
      let pass = UnitPass(
        part,
        kept: state.kept[index],
        depth: stops[index][0] - (stops[index].last ?? 0),
        plans: state.plans,
        settings: settings
      )
      return try pass.path(store)
    } receive: { place, path in
      result[open[place]] = path
    }
    return result
  }
}
