import LinearAlgebra

/// The prices of the removals of all layers.
enum StepPrices {
  case structures([StructureCosts])
  case elements([PricedElements])
  case blocks([PricedBlocks])
}

extension PruningRun {
  /// Prices the removals of all layers, and notes in the plan how often that raised their damping.
  mutating func priced(
    _ plan: inout PruningPlan,
    step: Int,
    progress: @escaping ProgressHandler
  ) throws -> StepPrices {
    switch settings.structure {
    // Nothing prices units here: ``choose(progress:)`` has refused them.
    case .rowsColumns, .rows, .columns, .units:
      var costs: [StructureCosts] = []
      try price(&plan, step: step, progress: progress) { _, priced in
        if case .structures(let layer) = priced.prices { costs.append(layer) }
      }
      return .structures(costs)
    case .element:
      return .elements(try pricedElements(&plan, step: step, progress: progress))
    case .nm(_, let size):
      return .blocks(try pricedBlocks(&plan, size: size, step: step, progress: progress))
    }
  }

  /// Repairs and prices every layer.
  private func price(
    _ plan: inout PruningPlan,
    step: Int,
    progress: @escaping ProgressHandler,
    receive: (Int, PricedLayer) throws -> Void
  ) throws {
    let chosen = plan
    try forEachLayer(.pass(step), progress: progress) { index in
      progress(PruningProgress(stage: .pricing(step: step), layer: index))
      return try pass(chosen, index, progress).priced()
    } receive: { index, priced in
      let before = plan.layers[index].timesDampingRaised
      plan.layers[index].timesDampingRaised = max(before, priced.timesDampingRaised)
      try receive(index, priced)
    }
  }

  /// Prices single weights, and keeps the repaired weights as the next start.
  private mutating func pricedElements(
    _ plan: inout PruningPlan,
    step: Int,
    progress: @escaping ProgressHandler
  ) throws -> [PricedElements] {
    var weights = try current ?? roomForWeights()
    var all: [ElementPrices] = []
    try price(&plan, step: step, progress: progress) { index, priced in
      guard case .elements(let prices) = priced.prices else { return }
      try weights.keep(priced, layer: index)
      all.append(prices)
    }
    current = weights
    return all.enumerated().map { pricedElements($0.offset, of: weights, by: $0.element) }
  }

  func pricedElements(
    _ index: Int,
    of weights: LayerNumbers<Float>,
    by prices: ElementPrices
  ) -> PricedElements {
    PricedElements(
      name: descriptions[index].name,
      weights: weights,
      layer: index,
      prices: prices,
      inputs: descriptions[index].mask.inputs
    )
  }

  /// Prices blocks, and keeps the repaired weights as the next start.
  private mutating func pricedBlocks(
    _ plan: inout PruningPlan,
    size: Int,
    step: Int,
    progress: @escaping ProgressHandler
  ) throws -> [PricedBlocks] {
    var weights = try current ?? roomForWeights()
    let counts = descriptions.map { $0.mask.weightCount / size }
    var keys = try LayerNumbers<Float>(counts: counts, directory: scratch)
    var choices = try LayerNumbers<UInt16>(counts: counts, directory: scratch)
    try price(&plan, step: step, progress: progress) { index, priced in
      guard case .blocks(let prices) = priced.prices else { return }
      try weights.keep(priced, layer: index)
      try keys.keep(prices.keys, layer: index)
      try choices.keep(prices.choices, layer: index)
    }
    current = weights
    return descriptions.indices.map { index in
      PricedBlocks(
        blockSize: size,
        blocksPerRow: descriptions[index].mask.inputs / size,
        isPerParameter: settings.order == .costPerParameter,
        keys: keys,
        choices: choices,
        layer: index
      )
    }
  }

  /// Removes what is cheapest until the budget is met.
  mutating func remove(
    until budget: RemovalBudget,
    _ prices: StepPrices,
    from plan: inout PruningPlan
  ) throws {
    switch prices {
    case .structures(let costs):
      structures.remove(until: budget, costs: costs, settings: settings)
      // The structures know nothing of how they were priced.
      let raised = plan.layers.map(\.timesDampingRaised)
      plan.layers = structures.plans
      for index in raised.indices { plan.layers[index].timesDampingRaised = raised[index] }
    case .elements(let layers):
      try removeCheapest(until: budget, of: layers, from: &plan.layers)
    case .blocks(let layers):
      try removeCheapest(until: budget, of: layers, from: &plan.layers)
    }
  }
}

extension LayerNumbers<Float> {
  /// Keeps the weights of a priced layer.
  fileprivate mutating func keep(_ priced: PricedLayer, layer: Int) throws {
    if let weights = priced.weights { try keep(weights.storage, layer: layer) }
  }
}
