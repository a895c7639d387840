import LinearAlgebra

/// The repaired weights of one layer, and prices by which removed weights may come back.
struct ExchangeableElements: Sendable {
  /// The repaired weights.
  let weights: Matrix<Float>
  /// The predicted rise of the loss with them, damped; nats per token.
  let loss: Double
  /// What each weight would become if it alone were free; shape `[outputs, inputs (+1)]`.
  let wanted: Matrix<Float>
  /// What these are priced by.
  let prices: ElementPrices
}

extension LayerPass {
  /// The repaired weights, and prices by which removed weights may come back for kept ones.
  ///
  /// Each weight is priced where it alone would go, `z = x + (G (W − X) A) / (G A diagonals)`, at
  /// what the model then loses without it, `½ z² Gᵣᵣ A꜀꜀`, damped. For kept weights of a repaired
  /// layer `z` is `x`.
  ///
  /// - Returns: The repaired weights and the prices.
  /// - Throws: ``PruningError`` if the repair fails.
  func exchangeableElements() throws(PruningError) -> ExchangeableElements {
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
      wanted: wanted,
      prices: prices
    )
  }
}
