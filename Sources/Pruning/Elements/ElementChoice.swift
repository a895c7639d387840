import LinearAlgebra

/// Removals of one layer that are chosen by one threshold: single weights or blocks.
protocol ChoosableLayer: Sendable {
  /// Why a piece cannot be read.
  associatedtype Failure: Error
  /// The number of pieces.
  var pieces: Int { get }
  /// One piece of the removals.
  ///
  /// - Parameters:
  ///   - index: Which one.
  ///   - mask: What is kept of the layer.
  /// - Returns: Its removals.
  /// - Throws: If it cannot be read.
  func piece(_ index: Int, keeping mask: LayerMask) throws(Failure) -> PricedPiece
  /// Removes one removal's weights from the mask.
  ///
  /// - Parameters:
  ///   - place: The removal's place within the piece.
  ///   - piece: A piece of this layer.
  ///   - mask: What is kept of the layer.
  /// - Returns: What the removal costs; in the method's unit.
  func remove(_ place: Int, of piece: PricedPiece, from mask: inout LayerMask) -> Double
}

/// Layers and what is kept of them, for finding a threshold.
private struct KeptCosts<Layer: ChoosableLayer>: CostSource {
  let all: [Layer]
  let masks: [LayerMask]

  var layers: Int { all.count }
  func pieces(of layer: Int) -> Int { all[layer].pieces }
  func piece(_ index: Int, of layer: Int) throws(Layer.Failure) -> PricedPiece {
    try all[layer].piece(index, keeping: masks[layer])
  }
}

/// A plan that is being changed, or why it cannot be.
private struct ChangingPlan<Failure: Error>: Sendable {
  var plan: LayerPlan
  var failure: Failure?
}

/// Removes what is cheapest until the budget is met.
///
/// - Parameters:
///   - budget: How many weights are to be removed, of all layers or of each.
///   - layers: The removals of each layer.
///   - plans: What is removed so far; gains the removals.
/// - Throws: What reading a piece throws.
func removeCheapest<Layer: ChoosableLayer>(
  until budget: RemovalBudget,
  of layers: [Layer],
  from plans: inout [LayerPlan]
) throws(Layer.Failure) {
  let removed = plans.map(\.mask.removedWeights)
  switch budget {
  case .everything:
    try change(&plans) { layer, plan throws(Layer.Failure) in
      try remove(below: nil, quota: .max, of: layers[layer], from: &plan)
    }
  case .total(let count):
    let rest = count - removed.reduce(0, +)
    guard rest > 0 else { return }
    // Without a threshold there is less to remove than was asked for: all of it goes.
    let limit = try threshold(
      removing: rest,
      of: KeptCosts(all: layers, masks: plans.map(\.mask))
    )
    try change(&plans) { layer, plan throws(Layer.Failure) in
      let quota = limit?.quotas[layer] ?? .max
      try remove(below: limit?.cost, quota: quota, of: layers[layer], from: &plan)
    }
  case .each(let counts):
    try change(&plans) { layer, plan throws(Layer.Failure) in
      let rest = counts[layer] - removed[layer]
      guard rest > 0 else { return }
      let limit = try threshold(
        removing: rest,
        of: KeptCosts(all: [layers[layer]], masks: [plan.mask])
      )
      try remove(
        below: limit?.cost,
        quota: limit?.quotas[0] ?? .max,
        of: layers[layer],
        from: &plan
      )
    }
  }
}

/// Changes all plans at once, each in its own place: a second copy of all masks would be large.
private func change<Failure: Error>(
  _ plans: inout [LayerPlan],
  _ body: @Sendable (Int, inout LayerPlan) throws(Failure) -> Void
) throws(Failure) {
  var work = plans.map { ChangingPlan<Failure>(plan: $0) }
  plans = []
  concurrentUpdates(of: &work, count: work.count) { index, item in
    do throws(Failure) {
      try body(index, &item.plan)
    } catch {
      item.failure = error
    }
  }
  plans = work.map(\.plan)
  for case let failure? in work.map(\.failure) { throw failure }
}

/// Removes what is cheaper than a threshold, and as much at it as the quota allows.
///
/// - Parameters:
///   - threshold: The threshold; nil for none.
///   - quota: The number of weights at the threshold.
///   - layer: The removals.
///   - plan: Gains the removals and what they cost.
/// - Throws: What reading a piece throws.
private func remove<Layer: ChoosableLayer>(
  below threshold: Float?,
  quota: Int,
  of layer: Layer,
  from plan: inout LayerPlan
) throws(Layer.Failure) {
  plan.mask.listElements()
  var cost = 0.0
  var quota = quota
  for index in 0..<layer.pieces {
    let piece = try layer.piece(index, keeping: plan.mask)
    piece.forEachChosen(below: threshold ?? .infinity, quota: &quota) {
      cost += layer.remove($0, of: piece, from: &plan.mask)
    }
  }
  plan.predictedCost += cost
}
