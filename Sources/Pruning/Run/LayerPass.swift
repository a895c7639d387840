import Curvature
import LinearAlgebra

/// The prices of one layer's removals, as the structure asks for them.
enum LayerPrices: Sendable {
  case structures(StructureCosts)
  case elements(PricedElements)
  case blocks(PricedBlocks)
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
  func priced() throws(PruningError) -> (weights: Matrix<Float>, prices: LayerPrices, raised: Int) {
    let conditioned = settings.method.repairs ? try ConditionedFactors(layer) : nil
    let weights = try repaired(conditioned, limits: settings.stepRepair).weights
    let prices = try prices(weights, conditioned)
    return (weights, prices, conditioned?.timesRaised ?? 0)
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
      let prices = try ElementPrices(layer, method: settings.method, conditioned: conditioned)
      return .elements(PricedElements(weights: weights, prices: prices, mask: layer.plan.mask))
    case .nm(let kept, let size):
      return .blocks(
        try layer.pricedBlocks(
          weights,
          pattern: BlockPattern(kept: kept, of: size),
          settings: settings,
          conditioned: conditioned
        )
      )
    }
  }

  /// The repaired weights, and prices by which removed weights may come back for kept ones.
  ///
  /// Each weight is priced where it alone would go, `z = x + (G (W − X) A) / (G A diagonals)`, at
  /// what the model then loses without it, `½ z² Gᵣᵣ A꜀꜀`, damped. For kept weights of a repaired
  /// layer `z` is `x`.
  ///
  /// - Parameter initial: What was removed when the run began and does not come back.
  /// - Returns: The repaired weights and the prices.
  /// - Throws: ``PruningError`` if the repair fails.
  func exchangeable(
    initial: LayerMask
  ) throws(PruningError) -> (weights: Matrix<Float>, prices: PricedElements) {
    guard let factors = layer.factors else {
      throw .curvatureMissing(layer: layer.problem.name, settings.method)
    }
    // A rough repair would pull back weights that a good one does not miss.
    let weights = try repaired(nil, limits: settings.finalRepair).weights
    let (rows, columns) = (layer.baseRows, layer.baseColumns)
    var gap = layer.problem.weights.selecting(rows: rows, columns: columns)
    let kept = weights.selecting(rows: rows, columns: columns)
    for index in gap.storage.indices { gap.storage[index] -= kept.storage[index] }
    var half = gap
    let gradients = factors.gradients.matrix.selecting(rows: rows, columns: rows)
    multiplyTiled(gradients.view, gap.view, into: &half)
    let activations = factors.activations.matrix.selecting(rows: columns, columns: columns)
    var pull = gap
    multiplyTiled(half.view, activations.view, into: &pull)
    let prices = ElementPrices(diagonalsOf: layer)
    var wanted = kept
    for (i, row) in rows.enumerated() {
      for (j, column) in columns.enumerated() {
        let curvature = prices.rows[row] * prices.columns[column]
        wanted[i, j] += Float(Double(pull[i, j]) / curvature)
      }
    }
    var all = layer.problem.weights
    all.scatter(wanted, rows: rows, columns: columns)
    return (weights, PricedElements(weights: all, prices: prices, mask: initial))
  }

  /// The repaired weights with the losses before and after.
  ///
  /// - Parameter original: The layer by which losses are predicted, if it is another one.
  /// - Returns: The outcome of the layer.
  /// - Throws: ``PruningError`` if the repair fails.
  func outcome(judgedBy original: ActiveLayer? = nil) throws(PruningError) -> LayerOutcome {
    let isDirect = settings.method.repairs && !needsConjugateGradients && !isWhole
    let conditioned = isDirect ? try ConditionedFactors(layer) : nil
    let repair = try repaired(conditioned, limits: settings.finalRepair)
    let judge = original ?? layer
    return LayerOutcome(
      weights: repair.weights,
      mask: layer.plan.mask,
      lossZeroedOnly: judge.loss(of: judge.zeroedOnly()),
      lossRepaired: judge.loss(of: repair.weights),
      damping: settings.damping,
      timesDampingRaised: conditioned?.timesRaised ?? 0,
      iterations: repair.iterations
    )
  }

  private func repaired(
    _ conditioned: ConditionedFactors?,
    limits: ConjugateGradientLimits
  ) throws(PruningError) -> (weights: Matrix<Float>, iterations: Int) {
    if settings.method == .activation { return (layer.biasCompensated(), 0) }
    guard settings.method.repairs, !isWhole else { return (layer.zeroedOnly(), 0) }
    if needsConjugateGradients { return try maskedOptimum(limits) }
    guard let conditioned else {
      throw .curvatureMissing(layer: layer.problem.name, settings.method)
    }
    return (layer.assembled(try layer.structuredOptimum(conditioned)), 0)
  }

  private func maskedOptimum(
    _ limits: ConjugateGradientLimits
  ) throws(PruningError) -> (weights: Matrix<Float>, iterations: Int) {
    let (rows, columns) = (layer.baseRows, layer.baseColumns)
    guard let factors = layer.factors else {
      throw .curvatureMissing(layer: layer.problem.name, settings.method)
    }
    let weights = layer.problem.weights.selecting(rows: rows, columns: columns)
    let repair = MaskedRepair(
      activations: factors.activations.matrix.selecting(rows: columns, columns: columns),
      gradients: factors.gradients.matrix.selecting(rows: rows, columns: rows),
      added: (
        columns.map { factors.activations.added[$0] }, rows.map { factors.gradients.added[$0] }
      ),
      kept: layer.keptIndicator()
    )
    let solution = repair.solve(
      weights: weights,
      start: start?.selecting(rows: rows, columns: columns) ?? weights,
      limits: limits,
      progress: progress
    )
    guard let solution else { throw .repairNotFinite(layer: layer.problem.name) }
    return (layer.assembled(base: solution.weights), solution.iterations)
  }
}

extension ActiveLayer {
  /// One where a weight of the model is kept, zero where it is removed.
  func keptIndicator() -> Matrix<Float> {
    var result = Matrix<Float>(rows: baseRows.count, columns: baseColumns.count)
    guard !baseColumns.isEmpty else { return result }
    let mask = plan.mask
    concurrentChunks(of: &result.storage, size: baseColumns.count) { place, entries in
      let row = baseRows[place]
      guard mask.keptRows[row] else { return }
      let flags = mask.keptFlags(row: row)
      for index in entries.indices {
        let column = baseColumns[index]
        entries[index] = column == mask.inputs || flags[column] ? 1 : 0
      }
    }
    return result
  }

  /// The whole weight matrix with the model's part replaced and the mask applied.
  func assembled(base: Matrix<Float>) -> Matrix<Float> {
    var result = problem.weights
    result.scatter(base, rows: baseRows, columns: baseColumns)
    plan.mask.apply(to: &result)
    return result
  }
}
