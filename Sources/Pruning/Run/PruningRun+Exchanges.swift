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
  ///   - start: How far an earlier process came.
  ///   - steps: The number of steps before.
  ///   - progress: Told of each layer.
  /// - Throws: ``PruningError``, or what the store throws.
  mutating func exchange(
    in plan: inout PruningPlan,
    from start: RunStart,
    steps: Int,
    progress: @escaping ProgressHandler
  ) throws {
    guard settings.isExchanging else { return }
    switch settings.structure {
    case .element:
      try exchangeElements(in: &plan, from: start, steps: steps, progress: progress)
    case .nm(let kept, let size):
      let pattern = BlockPattern(kept: kept, of: size)
      try exchangeBlocks(pattern, in: &plan, step: steps, progress: progress)
    case .rowsColumns, .rows, .columns, .units: break
    }
  }

  /// Chooses elements anew from all that were kept when the run began, of all layers.
  private mutating func exchangeElements(
    in plan: inout PruningPlan,
    from start: RunStart,
    steps: Int,
    progress: @escaping ProgressHandler
  ) throws {
    var best = start.best
    // The repaired weights of a choice that is not believed yet, and what all weights would become.
    var (repaired, wanted) = (try roomForWeights(), try roomForWeights())
    for round in max(0, start.passes - steps)...settings.exchanges {
      var (loss, prices) = (0.0, [ElementPrices]())
      try exchangeable(plan, step: steps + round, progress: progress) { index, layer in
        loss += layer.loss
        prices.append(layer.prices)
        try repaired.keep(layer.weights.storage, layer: index)
        try wanted.keep(layer.wanted.storage, layer: index)
      }
      if let best, !(loss < best.loss) {
        plan = best.plan
        return
      }
      best = (plan, loss)
      let older = try current ?? roomForWeights()
      current = repaired
      repaired = older
      guard round < settings.exchanges else { return }
      let layers = prices.enumerated().map {
        pricedElements($0.offset, of: wanted, by: $0.element)
      }
      try chooseAnew(&plan, layers)
      try keep(plan, after: steps + round)
    }
  }

  /// Repairs all layers and prices every element, kept or not.
  private func exchangeable(
    _ plan: PruningPlan,
    step: Int,
    progress: @escaping ProgressHandler,
    receive: (Int, ExchangeableElements) throws -> Void
  ) throws {
    try forEachLayer(.pass(step), progress: progress) { index in
      progress(PruningProgress(stage: .pricing(step: step), layer: index))
      return try pass(plan, index, progress).exchangeableElements()
    } receive: {
      try receive($0, $1)
    }
  }

  /// As many elements as are removed now, the cheapest of all.
  private func chooseAnew(_ plan: inout PruningPlan, _ layers: [PricedElements]) throws {
    let counts = plan.layers.map(\.mask.removedWeights)
    let budget: RemovalBudget =
      settings.allocation == .uniform ? .each(counts) : .total(counts.reduce(0, +))
    var fresh = plan.layers
    for index in fresh.indices { fresh[index].mask = structures.plans[index].mask }
    try removeCheapest(until: budget, of: layers, from: &fresh)
    for index in fresh.indices { plan.layers[index].mask = fresh[index].mask }
  }

  /// Chooses anew within the complete blocks of each layer, for itself.
  private mutating func exchangeBlocks(
    _ pattern: BlockPattern,
    in plan: inout PruningPlan,
    step: Int,
    progress: @escaping ProgressHandler
  ) throws {
    let (run, chosen) = (self, plan)
    var weights = try current ?? roomForWeights()
    try forEachLayer(.pass(step), progress: progress) { index in
      progress(PruningProgress(stage: .pricing(step: step), layer: index))
      return try run.pass(chosen, index, progress)
        .exchangingBlocks(pattern, initial: run.structures.plans[index].mask)
    } receive: { index, result in
      try weights.keep(result.weights.storage, layer: index)
      plan.layers[index].mask = result.mask
    }
    current = weights
  }
}
