import LinearAlgebra

/// Prunes the layers of a store at one calibration: first chooses what to remove, then repairs.
///
/// The choice is made in steps. After each, the kept weights are repaired, always for the weights at
/// which the curvature was measured, the inverses are taken of what is kept, and the costs are
/// computed anew at the repaired weights; no forward pass is needed in between.
package struct PruningRun: Sendable {
  let store: any LayerStore
  let settings: PruningSettings
  let descriptions: [LayerDescription]
  let consequences: [Consequence]
  /// Where weights that are needed again are kept; nil for memory.
  let scratch: String?
  /// Where the work of an earlier process is found, and this one's kept.
  let journal: (any RunJournal)?
  var structures: StructureChoice
  /// The weights after the last step where they are known; masked repairs go on from them.
  var current: LayerNumbers<Float>?

  /// Prepares a run.
  ///
  /// - Parameters:
  ///   - store: The layers.
  ///   - settings: What to do.
  ///   - consequences: What becomes free when other structures are removed; used for rows and
  ///     columns.
  ///   - scratch: The directory of the scratch files; nil to keep in memory what the choice of single
  ///     weights or blocks needs of all layers.
  ///   - journal: The work of an earlier process with the same settings and layers, if there may be
  ///     any; what is computed is kept there. If several ranks meet there, they share the layers.
  /// - Throws: ``PruningError`` if a setting is out of range, blocks do not fit a layer, or a
  ///   consequence names what does not exist.
  package init(
    store: any LayerStore,
    settings: PruningSettings,
    consequences: [Consequence] = [],
    scratch: String? = nil,
    journal: (any RunJournal)? = nil
  ) throws(PruningError) {
    try settings.validate()
    precondition(!settings.method.isLayerLocal, "a method that compares layers")
    self.store = store
    self.settings = settings
    self.consequences = consequences
    self.scratch = scratch
    self.journal = journal
    descriptions = store.layers
    if case .nm(_, let size) = settings.structure {
      for layer in descriptions where layer.mask.inputs % size != 0 {
        throw .blocksDoNotFit(layer: layer.name, inputs: layer.mask.inputs, block: size)
      }
    }
    let plans = descriptions.map { LayerPlan(name: $0.name, mask: $0.mask) }
    structures = try StructureChoice(plans, consequences: consequences)
  }

  /// Chooses what to remove.
  ///
  /// - Returns: The plan; it contains what earlier calibrations removed.
  /// - Throws: ``PruningError``, or what the store throws; ``PruningError/unitsMissing(_:)`` for
  ///   units, which ``UnitRun`` chooses.
  package mutating func choose(
    progress: @escaping ProgressHandler = { _ in }
  ) throws -> PruningPlan {
    if case .units = settings.structure { throw PruningError.unitsMissing(settings.structure) }
    var plan = PruningPlan(settings: settings, layers: structures.plans)
    let shares = settings.schedule(from: plan.removedShare)
    let start = try resume(&plan, steps: shares.count)
    let own = journal?.ranks.map { store.share(of: $0) } ?? Array(plan.layers.indices)
    for _ in 0..<start.passes {
      for index in own { progress(PruningProgress(stage: .found, layer: index)) }
    }
    for (step, share) in shares.enumerated().dropFirst(start.passes) {
      let budget = RemovalBudget(share, of: plan.layers, settings: settings)
      let prices = try priced(&plan, step: step, progress: progress)
      try remove(until: budget, prices, from: &plan)
      try keep(plan, after: step)
    }
    try exchange(in: &plan, from: start, steps: shares.count, progress: progress)
    return plan
  }

  /// Repairs the kept weights for the loss of the removed ones.
  ///
  /// - Parameters:
  ///   - plan: What to remove, from ``choose(progress:)`` or elsewhere.
  ///   - progress: Told of each layer and iteration.
  ///   - receive: Takes each layer's result, in the order of the layers; on the first of several ranks
  ///     alone.
  /// - Throws: ``PruningError``, or what the store or `receive` throws.
  package func repair(
    _ plan: PruningPlan,
    progress: @escaping ProgressHandler = { _ in },
    receive: (Int, LayerOutcome) throws -> Void
  ) throws {
    try forEachLayer(.outcome, isForFirst: true, progress: progress) { index in
      progress(PruningProgress(stage: .repairing, layer: index))
      return try pass(plan, index, progress).outcome()
    } receive: {
      try receive($0, $1)
    }
  }

  /// Repairs the kept weights of one layer for its old outputs from what it reads now.
  ///
  /// - Parameters:
  ///   - plan: What to remove.
  ///   - index: The layer.
  ///   - progress: Told of the layer and of iterations.
  ///   - inputs: Finds what it reads once the layers before it are pruned, if that has to be known.
  /// - Returns: The result, with the losses that are predicted for the inputs it read before.
  /// - Throws: ``PruningError``, or what the store throws.
  package func repair(
    _ plan: PruningPlan,
    layer index: Int,
    progress: @escaping ProgressHandler = { _ in },
    reading inputs: () throws -> DriftedInputs
  ) throws -> LayerOutcome {
    let name = RecordName(.outcome, layer: index)
    return try journal.result(name, of: descriptions[index]) {
      progress(PruningProgress(stage: .found, layer: index))
    } _: {
      progress(PruningProgress(stage: .repairing, layer: index))
      let problem = try store.problem(at: index)
      let layerPlan = plan.layers[index]
      let original = try ActiveLayer(problem, plan: layerPlan, settings: settings)
      let moved = try problem.following(try inputs(), plan: layerPlan, settings: settings)
      let layer = try ActiveLayer(moved, plan: layerPlan, settings: settings)
      return try pass(layer, index, progress).outcome(judgedBy: original)
    }
  }

  func pass(
    _ plan: PruningPlan,
    _ index: Int,
    _ progress: @escaping ProgressHandler
  ) throws -> LayerPass {
    let problem = try store.problem(at: index)
    let layer = try ActiveLayer(problem, plan: plan.layers[index], settings: settings)
    return try pass(layer, index, progress)
  }

  private func pass(
    _ layer: ActiveLayer,
    _ index: Int,
    _ progress: @escaping ProgressHandler
  ) throws -> LayerPass {
    let start = try current?.numbers(layer: index).map {
      Matrix(rows: layer.problem.weights.rows, columns: layer.width, storage: $0)
    }
    return LayerPass(layer: layer, settings: settings, start: start) { iteration, loss in
      progress(PruningProgress(stage: .iterated(iteration, loss: loss), layer: index))
    }
  }

  /// Room for the weights of all layers, biases included.
  func roomForWeights() throws -> LayerNumbers<Float> {
    try LayerNumbers(
      counts: descriptions.map { $0.mask.outputs * $0.columns },
      directory: scratch
    )
  }
}
