import LinearAlgebra

/// The prices of one layer's removals, as the structure asks for them.
enum LayerPrices: Sendable {
  case structures(StructureCosts)
  case elements(ElementPrices)
  case blocks(BlockPrices)
}

/// What one step computes for one layer: its repaired weights and what further removals cost.
struct LayerPass: Sendable {
  let layer: ActiveLayer
  let settings: PruningSettings
  /// Where masked repairs begin: the weights after the step before, if they are known.
  let start: Matrix<Float>?
  /// Told of iterations.
  let progress: @Sendable (Int, Double) -> Void

  private var needsConjugateGradients: Bool { !layer.plan.mask.isStructured }

  /// Whether everything that the model speaks about is kept.
  private var isWhole: Bool {
    layer.plan.mask.isStructured && layer.keptRows == layer.baseRows
      && layer.keptColumns == layer.baseColumns
  }

  /// The repaired weights and the prices at them.
  func priced() throws(PruningError) -> PricedLayer {
    // Conjugate gradients need no factorisation, which would be in memory beside them.
    let direct = needsConjugateGradients ? nil : try factorised()
    let weights = try repaired(direct, limits: settings.stepRepair).weights
    let conditioned = needsConjugateGradients ? try factorised() : direct
    return PricedLayer(
      weights: settings.structure.isStructured ? nil : weights,
      prices: try prices(weights, conditioned),
      timesDampingRaised: conditioned?.timesRaised ?? 0
    )
  }

  /// The factorised kept parts, for the method that repairs.
  private func factorised() throws(PruningError) -> ConditionedFactors? {
    settings.method.repairs ? try ConditionedFactors(layer) : nil
  }

  private func prices(
    _ weights: Matrix<Float>,
    _ conditioned: ConditionedFactors?
  ) throws(PruningError) -> LayerPrices {
    switch settings.structure {
    case .rowsColumns, .rows, .columns, .units:
      return .structures(
        try layer.structureCosts(weights, method: settings.method, conditioned: conditioned)
      )
    case .element:
      return .elements(
        try ElementPrices(layer, method: settings.method, conditioned: conditioned)
      )
    case .nm(let kept, let size):
      return .blocks(
        try layer.blockPrices(
          weights,
          pattern: BlockPattern(kept: kept, of: size),
          settings: settings,
          conditioned: conditioned
        )
      )
    }
  }

  /// The repaired weights with the losses before and after.
  ///
  /// - Parameter original: The layer by which losses are predicted, if it is another one.
  /// - Returns: The outcome of the layer.
  /// - Throws: ``PruningError`` if the repair fails.
  func outcome(judgedBy original: ActiveLayer? = nil) throws(PruningError) -> LayerOutcome {
    let conditioned = needsConjugateGradients || isWhole ? nil : try factorised()
    let timesRaised = max(conditioned?.timesRaised ?? 0, layer.plan.timesDampingRaised)
    let repair = try repaired(conditioned, limits: settings.finalRepair)
    let judge = original ?? layer
    let zeroed = judge.zeroedOnly()
    let lossZeroed = judge.loss(of: zeroed)
    return LayerOutcome(
      weights: repair.weights,
      figures: LayerFigures(
        mask: layer.plan.mask,
        lossZeroedOnly: lossZeroed,
        lossRepaired: repair.weights == zeroed ? lossZeroed : judge.loss(of: repair.weights),
        damping: settings.damping,
        timesDampingRaised: timesRaised,
        iterations: repair.iterations
      )
    )
  }

  private func repaired(
    _ conditioned: ConditionedFactors?,
    limits: ConjugateGradientLimits
  ) throws(PruningError) -> RepairedLayer {
    if settings.method == .activation { return RepairedLayer(layer.biasCompensated()) }
    guard settings.method.repairs, !isWhole else { return RepairedLayer(layer.zeroedOnly()) }
    if needsConjugateGradients {
      return try layer.maskedOptimum(from: start, limits: limits, progress: progress)
    }
    guard let conditioned else {
      throw .curvatureMissing(layer: layer.problem.name, settings.method)
    }
    return RepairedLayer(layer.assembled(try layer.structuredOptimum(conditioned)))
  }
}
