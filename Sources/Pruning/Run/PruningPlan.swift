package import Curvature
package import LinearAlgebra

/// What is to be removed from each layer: the result of choosing, the input of repairing.
package struct PruningPlan: Equatable, Sendable {
  /// The settings that led to it.
  package let settings: PruningSettings
  /// One entry for each layer of the store.
  package var layers: [LayerPlan]

  /// A plan that others made, for repairing by it.
  package init(settings: PruningSettings, layers: [LayerPlan]) {
    self.settings = settings
    self.layers = layers
  }

  /// The share of all weights, without biases, that is removed.
  package var removedShare: Double {
    let total = layers.reduce(0) { $0 + $1.mask.weightCount }
    let removed = layers.reduce(0) { $0 + $1.mask.removedWeights }
    return total == 0 ? 0 : Double(removed) / Double(total)
  }
}

/// What is to be removed from one layer.
package struct LayerPlan: Equatable, Sendable {
  /// The layer's name, for messages.
  package let name: String
  /// Everything that is removed, now and earlier.
  package var mask: LayerMask
  /// The rows that are removed because nothing reads them any more: no repair makes up for them.
  package var freedRows: BitSet
  /// The columns that are removed because nothing writes them any more.
  package var freedColumns: BitSet
  /// The sum of the costs of the removals, each when it was chosen; in the method's unit.
  package var predictedCost: Double
  /// How often a factorization raised the damping tenfold while the removals were priced, at most.
  package var timesDampingRaised = 0

  /// A plan that removes what the mask does and nothing for free.
  package init(name: String, mask: LayerMask, predictedCost: Double = 0) {
    self.name = name
    self.mask = mask
    self.predictedCost = predictedCost
    freedRows = BitSet(count: mask.outputs, repeating: false)
    freedColumns = BitSet(count: mask.inputs, repeating: false)
  }

  /// Removes rows that nothing reads any more; the repair does not make up for them.
  package mutating func free(rows: some Sequence<Int>) {
    for row in rows where mask.keptRows[row] {
      freedRows[row] = true
      mask.remove(rows: CollectionOfOne(row))
    }
  }

  /// Removes columns that nothing writes any more; the repair does not make up for them.
  package mutating func free(columns: some Sequence<Int>) {
    for column in columns where mask.keptColumns[column] {
      freedColumns[column] = true
      mask.remove(columns: CollectionOfOne(column))
    }
  }
}

/// One layer after its repair.
@dynamicMemberLookup
package struct LayerOutcome: Sendable {
  /// The new weights, zero where the mask removes; shape `[outputs, inputs (+1)]`.
  package let weights: Matrix<Float>
  /// What is known of the repair beside them.
  package let figures: LayerFigures

  /// One of the figures.
  package subscript<Value>(dynamicMember figure: KeyPath<LayerFigures, Value>) -> Value {
    figures[keyPath: figure]
  }
}

/// What is left to say of a repaired layer when its weights are put away.
package struct LayerFigures: Sendable {
  /// What is removed.
  package let mask: LayerMask
  /// The predicted rise of the loss, had the removed only been set to zero.
  ///
  /// In nats per token, undamped; nothing without curvature.
  package let lossZeroedOnly: Double?
  /// The predicted rise of the loss with the new weights.
  ///
  /// In nats per token, undamped; nothing without curvature.
  package let lossRepaired: Double?
  /// The damping that was asked for.
  package let damping: Damping
  /// How often the damping of either factor had to be raised tenfold.
  package let timesDampingRaised: Int
  /// The iterations of the repair; zero where it was solved directly.
  package let iterations: Int
  /// The errors of the layer's own output; only from methods that look at nothing else.
  package var outputErrors: OutputErrors?
}

/// What the work is at, for a progress bar.
package struct PruningProgress: Sendable {
  /// What is being done to the layer.
  package enum Stage: Sendable, Equatable {
    /// The removals of a step are being priced; steps count from zero.
    case pricing(step: Int)
    /// The kept weights are being repaired for good.
    case repairing
    /// An iteration of a repair ended at this predicted loss (damped, nats per token).
    case iterated(Int, loss: Double)
    /// The result of a pass over the layer was there, from an earlier process.
    case found
  }

  /// What is being done.
  package let stage: Stage
  /// The layer's place in the store.
  package let layer: Int
}

/// Told of progress from several threads at once.
package typealias ProgressHandler = @Sendable (PruningProgress) -> Void
