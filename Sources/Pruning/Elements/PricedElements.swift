import LinearAlgebra

/// The weights of one layer with their prices; the weights are read when they are looked at.
struct PricedElements: ChoosableLayer {
  /// The layer's name, for messages.
  let name: String
  /// What the weights of all layers are kept in; shape `[outputs, inputs (+1)]` each.
  let weights: LayerNumbers<Float>
  /// Which of the layers.
  let layer: Int
  /// The prices of its rows and columns.
  let prices: ElementPrices
  /// The number of columns without the bias.
  let inputs: Int

  private var outputs: Int { prices.rows.count }
  private var rowsPerPiece: Int { max(1, PricedPiece.weights / max(1, inputs)) }

  var pieces: Int { (outputs + rowsPerPiece - 1) / rowsPerPiece }

  func piece(_ index: Int, keeping mask: LayerMask) throws -> PricedPiece {
    let rows = index * rowsPerPiece..<min(outputs, (index + 1) * rowsPerPiece)
    let width = prices.columns.count
    let entries = try weights.numbers(
      layer: layer,
      rows.lowerBound * width..<rows.upperBound * width
    )
    var costs = [Float](repeating: PricedPiece.nothing, count: rows.count * inputs)
    var hasNaN = false
    for row in rows where mask.keptRows[row] {
      let flags = mask.keptFlags(row: row)
      let start = row - rows.lowerBound
      for column in 0..<inputs where flags[column] {
        let cost = prices.cost(entries[start * width + column], row: row, column: column)
        hasNaN = hasNaN || cost.isNaN
        costs[start * inputs + column] = cost
      }
    }
    guard !hasNaN else { throw PruningError.costNotFinite(layer: name) }
    return PricedPiece(first: rows.lowerBound * inputs, costs: costs)
  }

  func remove(_ place: Int, of piece: PricedPiece, from mask: inout LayerMask) -> Double {
    let (row, column) = (piece.first + place).quotientAndRemainder(dividingBy: inputs)
    mask.removeElement(row: row, column: column)
    return Double(piece.costs[place])
  }
}
