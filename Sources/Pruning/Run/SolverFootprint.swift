/// The memory that the solver takes beside the plan, counted from the shapes of the layers.
///
/// Layers are worked on one at a time, small ones side by side; ``LayerStore`` says which. What is
/// counted is the largest that is in memory at once: weights, both factors, and what the work makes
/// of them.
package struct SolverFootprint: Equatable, Sendable {
  /// The rows and columns of one layer.
  package struct Shape: Hashable, Sendable {
    /// The rows of the weights.
    package let outputs: Int
    /// The columns of the weights, without the bias.
    package let inputs: Int
    /// Whether there is a bias.
    package let hasBias: Bool

    /// Takes both extents.
    package init(outputs: Int, inputs: Int, hasBias: Bool) {
      self.outputs = outputs
      self.inputs = inputs
      self.hasBias = hasBias
    }

    var columns: Double { Double(inputs) + (hasBias ? 1 : 0) }
    fileprivate var weights: Double { Double(outputs) * columns }
    fileprivate var activations: Double { columns * columns }
    fileprivate var gradients: Double { Double(outputs) * Double(outputs) }
    fileprivate var factors: Double { activations + gradients }
  }

  /// The bytes of the layers that are worked on at the worst moment.
  package let working: Double
  /// The places of these layers.
  package let layers: [Int]
  /// The bytes of the scratch files of the choice.
  package let scratch: Double
  /// The bytes of the journal at its largest: the last two passes and the repaired weights.
  package let journal: Double
  /// The bytes of the masks.
  package let plan: Double

  private static let single = Double(MemoryLayout<Float>.size)
  private static let double = Double(MemoryLayout<Double>.size)

  /// Counts what pruning takes.
  ///
  /// - Parameters:
  ///   - shapes: The layers, in the order of the store.
  ///   - settings: What is removed, and how.
  ///   - hasCurvature: Whether the layers come with their factors, even where the method needs none.
  ///   - threads: How many layers are worked on at once where they are small.
  package init(
    _ shapes: [Shape],
    settings: PruningSettings,
    hasCurvature: Bool,
    threads: Int
  ) {
    let need = shapes.map { Self.bytes(of: $0, settings, hasCurvature: hasCurvature) }
    var worst: (bytes: Double, layers: [Int]) = (0, [])
    for batch in layerBatches(shapes.map { $0.outputs * $0.inputs }) {
      let largest = batch.sorted { need[$0] > need[$1] }.prefix(threads)
      // What the batch has finished waits until all of it is.
      let kept = batch.reduce(0) { $0 + shapes[$1].weights } * Self.waiting(settings)
      let bytes = largest.reduce(batch.count > 1 ? kept : 0) { $0 + need[$1] }
      if bytes > worst.bytes { worst = (bytes, largest.sorted()) }
    }
    (working, layers) = worst
    let weights = shapes.reduce(0) { $0 + $1.weights }
    switch settings.structure {
    case .rowsColumns, .rows, .columns, .units: (scratch, plan) = (0, 0)
    case .element:
      let kept = settings.isExchanging ? 3.0 : 1
      (scratch, plan) = (kept * Self.single * weights, Self.masks * weights / 8)
    case .nm(_, let size):
      let blocks = weights / Double(size)
      let prices = Double(MemoryLayout<Float>.size + MemoryLayout<UInt16>.size) * blocks
      (scratch, plan) = (Self.single * weights + prices, Self.masks * weights / 8)
    }
    journal = settings.method.repairs ? Self.single * weights * Self.kept(settings) : 0
  }

  /// The bytes for each weight of a layer that is finished: the repaired one, and after a round of
  /// exchanges what it would become if it were free.
  private static func waiting(_ settings: PruningSettings) -> Double {
    settings.structure == .element && settings.isExchanging ? 2 * single : single
  }

  /// How often the journal holds all weights: once repaired, and what the last two passes keep.
  private static func kept(_ settings: PruningSettings) -> Double {
    switch settings.structure {
    case .rowsColumns, .rows, .columns, .units: 1
    // A round of exchanges keeps what all weights would become beside the repaired ones.
    case .element: settings.isExchanging ? 5 : 3
    // Prices and choices take three times the room of a weight for each block.
    case .nm(_, let size): 3 + 3 / Double(size)
    }
  }

  /// The masks of all layers that are there at once: as it came, as chosen, as chosen anew.
  private static let masks = 3.0

  /// The bytes of one layer at the worst moment.
  private static func bytes(
    of layer: Shape,
    _ settings: PruningSettings,
    hasCurvature: Bool
  ) -> Double {
    let weights = layer.weights
    let factors = hasCurvature ? layer.factors : 0
    let given = single * (weights + factors)
    guard settings.method.repairs else {
      // The kept parts, and products with them.
      return given + single * (5 * weights + factors)
    }
    let cholesky = double * factors
    switch settings.structure {
    case .element: return max(masked(layer), given + single * 2 * weights + cholesky)
    case .nm:
      // The best choice of blocks and another one, each with its repair and pull.
      let blocks = given + single * 2 * weights + cholesky + double * layer.activations
      return max(masked(layer) + single * 4 * weights, blocks)
    case .rowsColumns, .rows, .columns: return structured(layer)
    case .units: return max(structured(layer), elimination(layer))
    }
  }

  /// The direct repair, beside which the costs take less.
  ///
  /// Both Cholesky factors, and the weights in double precision, four times while the correction is
  /// added.
  private static func structured(_ layer: Shape) -> Double {
    let optimum = double * 4 * layer.weights + single * layer.weights
    return single * (layer.weights + layer.factors) + double * layer.factors + optimum
  }

  /// Conjugate gradients: the factors as measured and scaled; the weights and where they began, both
  /// also without dead rows and columns, the mask, and six matrices of their shape on the way.
  private static func masked(_ layer: Shape) -> Double {
    single * (2 * layer.factors + 11 * layer.weights)
  }

  /// The exact order of units: `A⁻¹` on its way and `Wᵀ G W`, in double precision.
  private static func elimination(_ layer: Shape) -> Double {
    let start = double * (2 * layer.activations + layer.gradients + 2 * layer.weights)
    return single * (layer.weights + layer.factors) + max(start, double * 4 * layer.activations)
  }
}
