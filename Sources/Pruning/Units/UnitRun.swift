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
  private let journal: (any RunJournal)?
  private var state: UnitState

  /// Prepares a run.
  ///
  /// - Parameters:
  ///   - store: The layers.
  ///   - settings: What to do; the structure is one of units.
  ///   - model: The units of the layers.
  ///   - goal: How much may be left; its share of the weights that the settings name is not used.
  ///   - journal: The paths that an earlier process with the same settings and layers has followed,
  ///     if there may be any; those that are followed are kept there. If several ranks meet there,
  ///     they share the parts.
  /// - Throws: ``PruningError`` if a setting is out of range or the units do not fit the layers.
  package init(
    store: any LayerStore,
    settings: PruningSettings,
    model: UnitModel,
    goal: WidthGoal,
    journal: (any RunJournal)? = nil
  ) throws(PruningError) {
    try settings.validate()
    guard case .units(let kinds) = settings.structure else {
      throw .unitsMissing(settings.structure)
    }
    self.store = store
    self.settings = settings
    self.goal = goal
    self.journal = journal
    self.kinds = kinds
    state = try UnitState(model, layers: store.layers)
  }

  /// The widths that are left.
  package var widths: [BlockWidths] { state.widths }

  /// Finds out before the work whether the goal can be met at all.
  ///
  /// - Throws: ``PruningError/goalOutOfReach(name:most:nearest:)`` if not.
  package func check() throws(PruningError) { _ = try shares(goal, stops, paths: nil) }

  /// Chooses what to remove.
  ///
  /// - Parameter progress: Told of each part, by its reader.
  /// - Returns: The plan; it contains what earlier calibrations removed.
  /// - Throws: ``PruningError``, or what the store throws.
  package mutating func choose(
    progress: @escaping ProgressHandler = { _ in }
  ) throws -> PruningPlan {
    if goal.measure.value(of: state.widths) > goal.most {
      try check()
      let stops = stops
      state = try state(meeting: goal, stops, try paths(stops, progress: progress))
    }
    return PruningPlan(settings: settings, layers: state.plans)
  }

  /// What each of several goals would remove, with every path followed only once.
  ///
  /// - Parameters:
  ///   - goals: The goals, in place of the run's own.
  ///   - progress: Told of each part, by its reader.
  /// - Returns: For each goal the plan and the widths that it leaves; nil where the constraints do
  ///   not allow it.
  /// - Throws: ``PruningError``, or what the store throws.
  package func curve(
    _ goals: [WidthGoal],
    progress: @escaping ProgressHandler = { _ in }
  ) throws -> [(plan: PruningPlan, widths: [BlockWidths])?] {
    let stops = stops
    let paths = try paths(stops, progress: progress)
    return try goals.map { goal in
      do throws(PruningError) {
        let state = try state(meeting: goal, stops, paths)
        return (PruningPlan(settings: settings, layers: state.plans), state.widths)
      } catch .goalOutOfReach {
        return nil
      }
    }
  }

  private var stops: [[Int]] {
    state.model.parts.indices.map {
      state.stops(ofPart: $0, settings.constraints, kinds: kinds)
    }
  }

  /// The units that are left when a goal is met.
  private func state(
    meeting goal: WidthGoal,
    _ stops: [[Int]],
    _ paths: [UnitPath]
  ) throws(PruningError) -> UnitState {
    var result = state
    guard goal.measure.value(of: state.widths) > goal.most else { return result }
    for (index, count) in try shares(goal, stops, paths: paths).enumerated() {
      let number = state.kept[index].count - count
      let path = paths[index]
      result.remove(path.units.prefix(number), cost: path.losses[number], fromPart: index)
    }
    return result
  }

  /// How many units each part keeps; without paths all removals cost the same.
  private func shares(
    _ goal: WidthGoal,
    _ stops: [[Int]],
    paths: [UnitPath]?
  ) throws(PruningError) -> [Int] {
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
    let allocation = WidthAllocation(state: state, goal: goal, parts: parts)
    switch settings.allocation {
    case .global: return try allocation.global()
    case .uniform, .owl: return try allocation.uniform()  // `owl` was refused with the settings.
    }
  }

  /// The paths of the parts that may lose anything, each as far as it may be followed.
  private func paths(
    _ stops: [[Int]],
    progress: @escaping ProgressHandler
  ) throws -> [UnitPath] {
    var result = [UnitPath](repeating: UnitPath(), count: stops.count)
    let open = stops.indices.filter { stops[$0].count > 1 }
    let (state, settings, store) = (state, settings, store)
    let work = open.map {
      RecordedWork(name: RecordName(.path, layer: $0), layer: state.model.parts[$0].reader)
    }
    try store.forEachRecord(work, journal: journal, progress: progress) { place in
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
