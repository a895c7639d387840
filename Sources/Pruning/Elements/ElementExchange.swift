import LinearAlgebra

/// The repaired weights of one layer, and prices by which removed weights may come back.
struct ExchangeableElements: Sendable {
  /// The repaired weights.
  let weights: Matrix<Float>
  /// The predicted rise of the loss with them, damped; nats per token.
  let loss: Double
  /// What each weight would become if it alone were free, with its price.
  let elements: PricedElements
}

extension LayerPass {
  /// The repaired weights, and prices by which removed weights may come back for kept ones.
  ///
  /// Each weight is priced where it alone would go, `z = x + (G (W − X) A) / (G A diagonals)`, at
  /// what the model then loses without it, `½ z² Gᵣᵣ A꜀꜀`, damped. For kept weights of a repaired
  /// layer `z` is `x`.
  ///
  /// - Parameter initial: What was removed when the run began and does not come back.
  /// - Returns: The repaired weights and the prices.
  /// - Throws: ``PruningError`` if the repair fails.
  func exchangeableElements(
    initial: LayerMask
  ) throws(PruningError) -> ExchangeableElements {
    // A rough repair would pull back weights that a good one does not miss.
    let repaired = try layer.maskedOptimum(
      from: start,
      limits: settings.finalRepair,
      progress: progress
    )
    let (rows, columns) = (layer.baseRows, layer.baseColumns)
    let (loss, pull) = try layer.lossAndPull(at: repaired.weights)
    let prices = ElementPrices(diagonalsOf: layer)
    var wanted = repaired.weights
    for (i, row) in rows.enumerated() {
      for (j, column) in columns.enumerated() {
        let curvature = prices.rows[row] * prices.columns[column]
        wanted[row, column] += Float(Double(pull[i, j]) / curvature)
      }
    }
    return ExchangeableElements(
      weights: repaired.weights,
      loss: loss,
      elements: PricedElements(weights: wanted, prices: prices, mask: initial)
    )
  }
}
