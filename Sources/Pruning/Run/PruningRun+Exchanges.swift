import LinearAlgebra

/// Better choices of as many weights, after the last step.
///
/// Removed weights that the repaired model misses come back for kept ones that it does not. Every
/// choice is repaired before it is believed: what does not lower the loss is taken back, so
/// exchanges never make the predicted loss worse.
extension PruningRun {
  /// Exchanges weights as often as the settings say and as it pays.
  ///
  /// - Parameters:
  ///   - plan: The choice after the last step; gets better.
  ///   - step: The number of steps before, for the progress.
  ///   - progress: Told of each layer.
  /// - Throws: ``PruningError``, or what the store throws.
  mutating func exchange(
    in plan: inout PruningPlan,
    step: Int,
    progress: @escaping ProgressHandler
  ) throws {
    guard settings.method.repairs, settings.exchanges > 0 else { return }
    switch settings.structure {
    case .element: try exchangeElements(in: &plan, step: step, progress: progress)
    case .nm(let kept, let size):
      let pattern = BlockPattern(kept: kept, of: size)
      try exchangeBlocks(pattern, in: &plan, step: step, progress: progress)
    case .rowsColumns, .rows, .columns, .units: break
    }
  }

  /// Chooses elements anew from all that were kept when the run began, of all layers.
  private mutating func exchangeElements(
    in plan: inout PruningPlan,
    step: Int,
    progress: @escaping ProgressHandler
  ) throws {
    var best: (plan: PruningPlan, loss: Double)?
    for round in 0...settings.exchanges {
      let layers = try exchangeable(plan, step: step + round, progress: progress)
      let loss = layers.reduce(0) { $0 + $1.loss }
      if let best, !(loss < best.loss) {
        plan = best.plan
        return
      }
      best = (plan, loss)
      current = layers.map(\.weights)
      guard round < settings.exchanges else { return }
      plan = chosenAnew(plan, layers.map(\.elements))
    }
  }

  /// Repairs all layers and prices every element, kept or not.
  private func exchangeable(
    _ plan: PruningPlan,
    step: Int,
    progress: @escaping ProgressHandler
  ) throws -> [ExchangeableElements] {
    var layers: [ExchangeableElements] = []
    try store.forEachLayer(Array(descriptions.indices)) { index in
      progress(PruningProgress(stage: .pricing(step: step), layer: index))
      let pass = try pass(plan, index, start: current[index], progress)
      return try pass.exchangeableElements(initial: descriptions[index].mask)
    } receive: {
      layers.append($1)
    }
    return layers
  }

  /// As many elements as are removed now, the cheapest of all.
  private func chosenAnew(_ plan: PruningPlan, _ layers: [PricedElements]) -> PruningPlan {
    let counts = plan.layers.map(\.mask.removedWeights)
    let budget: RemovalBudget =
      settings.allocation == .uniform ? .each(counts) : .total(counts.reduce(0, +))
    var fresh = plan.layers
    for index in fresh.indices { fresh[index].mask = descriptions[index].mask }
    removeCheapest(until: budget, of: layers, from: &fresh)
    var result = plan
    for index in fresh.indices { result.layers[index].mask = fresh[index].mask }
    return result
  }

  /// Chooses anew within the complete blocks of each layer, for itself.
  private mutating func exchangeBlocks(
    _ pattern: BlockPattern,
    in plan: inout PruningPlan,
    step: Int,
    progress: @escaping ProgressHandler
  ) throws {
    let (run, chosen) = (self, plan)
    var masks: [LayerMask] = []
    var repaired: [Matrix<Float>?] = []
    try store.forEachLayer(Array(descriptions.indices)) { index in
      progress(PruningProgress(stage: .pricing(step: step), layer: index))
      let pass = try run.pass(chosen, index, start: run.current[index], progress)
      return try pass.exchangingBlocks(pattern, initial: run.descriptions[index].mask)
    } receive: { _, result in
      masks.append(result.mask)
      repaired.append(result.weights)
    }
    current = repaired
    for (index, mask) in masks.enumerated() { plan.layers[index].mask = mask }
  }
}
