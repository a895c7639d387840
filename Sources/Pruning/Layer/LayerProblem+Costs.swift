package import LinearAlgebra

/// The cheapest way to complete one block of a layer to an N:M pattern.
package struct BlockCost: Equatable, Sendable {
  /// The row of the block.
  package let row: Int
  /// The columns of the weights to remove, rising.
  package let columns: [Int]
  /// The joint cost; in the method's unit.
  package let cost: Double
}

/// What each removal would cost at this calibration, before any of them.
extension LayerProblem {
  /// The costs of the kept rows and columns, each removed alone; in the method's unit.
  ///
  /// - Parameter settings: The method and the damping.
  /// - Returns: Index and cost of each kept row and of each kept column, rising by index.
  /// - Throws: ``PruningError`` if the curvature is missing or cannot be used.
  package func structureCosts(
    _ settings: PruningSettings
  ) throws(PruningError) -> (
    rows: [(index: Int, cost: Double)], columns: [(index: Int, cost: Double)]
  ) {
    let (layer, conditioned) = try prepared(settings)
    let costs = try layer.structureCosts(
      layer.zeroedOnly(),
      method: settings.method,
      conditioned: conditioned
    )
    return (costs.rows, costs.columns)
  }

  /// The cost of each weight, removed alone; in the method's unit, zero for what is removed already.
  ///
  /// - Parameter settings: The method and the damping.
  /// - Returns: Shape `[outputs, inputs]`.
  /// - Throws: ``PruningError`` if the curvature is missing or cannot be used.
  package func elementCosts(_ settings: PruningSettings) throws(PruningError) -> Matrix<Float> {
    let (layer, conditioned) = try prepared(settings)
    let prices = try ElementPrices(layer, method: settings.method, conditioned: conditioned)
    var result = Matrix<Float>(rows: mask.outputs, columns: mask.inputs)
    for row in 0..<mask.outputs {
      for column in 0..<mask.inputs where mask.keeps(row: row, column: column) {
        result[row, column] = prices.cost(weights[row, column], row: row, column: column)
      }
    }
    return result
  }

  /// The cheapest completion of each block that is not complete yet.
  ///
  /// - Parameter settings: The pattern, the method and the damping.
  /// - Returns: The blocks by row, then by column; none if the structure is no pattern.
  /// - Throws: ``PruningError`` if the pattern does not fit the layer, or the curvature is missing or cannot be used.
  package func blockCosts(_ settings: PruningSettings) throws(PruningError) -> [BlockCost] {
    guard case .nm(let kept, let size) = settings.structure else { return [] }
    guard mask.inputs % size == 0 else {
      throw .blocksDoNotFit(layer: name, inputs: mask.inputs, block: size)
    }
    let (layer, conditioned) = try prepared(settings)
    let blocks = try layer.blockPrices(
      layer.zeroedOnly(),
      pattern: BlockPattern(kept: kept, of: size),
      settings: settings,
      conditioned: conditioned
    )
    var result: [BlockCost] = []
    for (index, set) in blocks.choices.enumerated() where set != 0 {
      let (row, block) = index.quotientAndRemainder(dividingBy: mask.inputs / size)
      let columns = members(set).map { block * size + $0 }
      let number = settings.order == .costPerParameter ? Double(columns.count) : 1
      result.append(
        BlockCost(row: row, columns: columns, cost: Double(blocks.keys[index]) * number)
      )
    }
    return result
  }

  private func prepared(
    _ settings: PruningSettings
  ) throws(PruningError) -> (ActiveLayer, ConditionedFactors?) {
    let layer = try ActiveLayer(self, plan: LayerPlan(name: name, mask: mask), settings: settings)
    return (layer, settings.method.repairs ? try ConditionedFactors(layer) : nil)
  }
}
