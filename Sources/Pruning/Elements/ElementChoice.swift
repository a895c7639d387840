import LinearAlgebra

/// Removals that are chosen by one threshold: single weights or blocks.
protocol ChoosableLayer: PricedLayer {
  /// Removes one removal's weights from the mask.
  ///
  /// - Returns: What the removal costs; nats per token.
  func remove(_ index: Int, key: Float, from mask: inout LayerMask) -> Double
}

extension PricedElements: ChoosableLayer {
  func remove(_ index: Int, key: Float, from mask: inout LayerMask) -> Double {
    let (row, column) = index.quotientAndRemainder(dividingBy: mask.inputs)
    mask.removeElement(row: row, column: column)
    return Double(key)
  }
}

extension PricedBlocks: ChoosableLayer {
  func remove(_ index: Int, key: Float, from mask: inout LayerMask) -> Double {
    let (row, block) = index.quotientAndRemainder(dividingBy: blocksPerRow)
    let set = members(choices[index])
    for place in set { mask.removeElement(row: row, column: block * blockSize + place) }
    return Double(key) * (isPerParameter ? Double(set.count) : 1)
  }
}

/// Removes what is cheapest until the budget is met.
///
/// - Parameters:
///   - budget: How many weights are to be removed, of all layers or of each.
///   - layers: The removals of each layer.
///   - plans: What is removed so far; gains the removals.
func removeCheapest<Layer: ChoosableLayer>(
  until budget: RemovalBudget,
  of layers: [Layer],
  from plans: inout [LayerPlan]
) {
  let removed = plans.map(\.mask.removedWeights)
  switch budget {
  case .everything:
    removeCheapest(.max, of: layers, from: &plans)
  case .total(let count):
    removeCheapest(count - removed.reduce(0, +), of: layers, from: &plans)
  case .each(let counts):
    let before = plans
    let after = concurrentMap(count: layers.count) { layer in
      var plan = [before[layer]]
      removeCheapest(counts[layer] - removed[layer], of: [layers[layer]], from: &plan)
      return plan[0]
    }
    plans = after
  }
}

private func removeCheapest<Layer: ChoosableLayer>(
  _ count: Int,
  of layers: [Layer],
  from plans: inout [LayerPlan]
) {
  guard count > 0 else { return }
  // Without a threshold there is less to remove than was asked for: all of it goes.
  let limit = threshold(removing: count, of: layers)
  let before = plans
  plans = concurrentMap(count: layers.count) { index in
    var plan = before[index]
    plan.mask.listElements()
    let layer = layers[index]
    var mask = plan.mask
    var cost = 0.0
    layer.forEachChosen(
      below: limit?.cost ?? .infinity,
      quota: limit?.quotas[index] ?? .max
    ) { cost += layer.remove($0, key: $1, from: &mask) }
    plan.mask = mask
    plan.predictedCost += cost
    return plan
  }
}
