package import Curvature

/// How a removal is priced and whether the rest is repaired.
public enum Method: String, CaseIterable, Sendable {
  /// Kronecker-factored curvature; a removal costs what remains after the best repair.
  case surgeon
  /// Kronecker-factored curvature without repair: `½⟨w, G w A⟩` of the removed.
  case kobd
  /// As ``kobd`` with `G = I`: activations alone, without repair.
  case lobd
  /// Half the squared norm of the removed weights (with a row's bias); needs no curvature.
  case magnitude
  /// The variance of each input times the squared norm of its column, without curvature of the
  /// output; the bias takes over the mean of what is lost. For neurons and heads.
  case activation
  /// ``Wanda``: weights times the norms of their inputs, compared within rows; no repair.
  case wanda
  /// ``SparseGPT``: a sweep over the columns of each layer that repairs its output as it goes.
  case sparsegpt
  /// ``ALPS``: each layer's output by ADMM, then conjugate gradients.
  case alps

  /// Whether costs are predicted rises of the loss, in nats per token; those of the other methods have
  /// a unit of their own, and only say what goes first.
  package var pricesLosses: Bool {
    switch self {
    case .surgeon, .kobd: true
    case .lobd, .magnitude, .activation, .wanda, .sparsegpt, .alps: false
    }
  }

  /// Whether the solver moves the kept weights to make up for the removed ones.
  package var repairs: Bool { self == .surgeon }

  /// Whether the method looks at one layer's output at a time, block after block, each with what
  /// the pruned blocks below hand on.
  public var isLayerLocal: Bool {
    switch self {
    case .wanda, .sparsegpt, .alps: true
    case .surgeon, .kobd, .lobd, .magnitude, .activation: false
    }
  }

  /// Whether the method looks at any data.
  public var needsData: Bool { self != .magnitude }
}

/// How the target is shared among the layers.
public enum Allocation: String, CaseIterable, Sendable {
  /// Whatever is cheapest anywhere goes first.
  case global
  /// Each layer loses the same share; of neurons and heads, each block keeps the same numbers.
  case uniform
  /// Blocks with more outliers among their scores lose less: ``OutlierShares``.
  case owl
}

/// By what removals are ordered.
package enum Order: String, CaseIterable, Sendable {
  /// The predicted loss of one removal.
  case cost
  /// The predicted loss over the number of weights that the removal frees.
  case costPerParameter
}

/// How the target is approached within one calibration.
package enum Ramp: String, CaseIterable, Sendable {
  /// Each step removes the same number of weights.
  case linear
  /// Each step keeps the same share of what the step before kept.
  case geometric
}

/// When the conjugate gradients stop.
package struct ConjugateGradientLimits: Equatable, Sendable {
  /// The most iterations of one repair.
  package var iterations: Int
  /// A repair ends when an iteration lowers the loss by less than this share of it; no unit.
  package var tolerance: Double

  /// Limits that are both reached at some point.
  package init(iterations: Int, tolerance: Double) {
    self.iterations = iterations
    self.tolerance = tolerance
  }
}

/// Everything that decides what is removed and how the rest is repaired.
package struct PruningSettings: Equatable, Sendable {
  /// What is removed together.
  package let structure: Structure
  /// How a removal is priced and whether the rest is repaired.
  package private(set) var method: Method
  /// The share of the weights (without biases) of all layers to remove, between 0 and 1; what is
  /// removed already counts.
  package let target: Double
  /// How the target is shared among the layers.
  package var allocation: Allocation
  /// What is added to the diagonals of `A` and `G`.
  package var damping: Damping
  /// In how many steps the target is approached, with a repair and new costs after each.
  ///
  /// For neurons and heads: how often the removals of a part are priced anew.
  package var steps: Int
  /// How the steps are spaced.
  package var ramp: Ramp
  /// By what removals of rows and columns and of blocks are ordered.
  package var order: Order
  /// How often, after the last step, weights are exchanged at most; for elements and N:M with repair.
  ///
  /// Removed weights that the repaired model misses come back for kept ones that it does not, as
  /// long as that lowers the predicted loss.
  package var exchanges: Int
  /// What the widths of the rest have to obey, where neurons or heads are removed.
  package var constraints = UnitConstraints()
  /// When the repair after each step but the last stops.
  package var stepRepair: ConjugateGradientLimits
  /// When the final repair stops.
  package var finalRepair: ConjugateGradientLimits

  /// Settings with the defaults of ``Defaults`` for everything that is not given.
  ///
  /// - Parameters:
  ///   - structure: What is removed together.
  ///   - method: How a removal is priced.
  ///   - target: The share to remove; for N:M all blocks, `(M − N) / M`, unless given.
  ///   - shots: The number of calibrations in all, on which the defaults depend.
  /// - Throws: ``PruningError/targetMissing(_:)`` or what ``validate()`` finds.
  package init(
    structure: Structure,
    method: Method = .surgeon,
    target: Double? = nil,
    shots: Int = 1
  ) throws(PruningError) {
    self.structure = structure
    self.method = method
    if let target {
      self.target = target
    } else if case .nm = structure {
      self.target = structure.largestShare
    } else {
      throw .targetMissing(structure)
    }
    let defaults = Defaults(for: structure, method: method, shots: shots)
    allocation = defaults.allocation
    damping = defaults.damping
    steps = defaults.steps
    ramp = defaults.ramp
    order = defaults.order
    exchanges = defaults.exchanges
    stepRepair = defaults.stepRepair
    finalRepair = defaults.finalRepair
    try validate()
  }

  /// Checks every value.
  ///
  /// - Throws: ``PruningError`` naming the first value that is out of range.
  package func validate() throws(PruningError) {
    guard target > 0, target < 1, target <= structure.largestShare else {
      throw .targetOutOfRange(target, structure)
    }
    guard damping.isValid else {
      throw .dampingOutOfRange(activations: damping.activations, gradients: damping.gradients)
    }
    for count in [steps, stepRepair.iterations, finalRepair.iterations] where count < 1 {
      throw .countOutOfRange(count)
    }
    guard exchanges >= 0 else { throw .countOutOfRange(exchanges) }
    for tolerance in [stepRepair.tolerance, finalRepair.tolerance]
    where !(tolerance >= 0 && tolerance < 1) {
      throw .toleranceOutOfRange(tolerance)
    }
    try validateUnits()
    try validateCombination()
  }

  /// Checks what only neurons and heads know, and how it goes together.
  private func validateUnits() throws(PruningError) {
    try constraints.validate()
    guard structure.isUnits else {
      if method == .activation { throw .methodNeedsUnits(method) }
      if constraints != UnitConstraints() { throw .constraintsNeedUnits(structure) }
      return
    }
    guard !method.isLayerLocal, allocation != .owl else {
      throw method.isLayerLocal
        ? .methodDoesNotFit(method, structure) : .allocationDoesNotFit(allocation, method)
    }
    guard allocation == .global || (constraints.keepFirst == 0 && constraints.keepLast == 0) else {
      throw .constraintsContradict
    }
  }

  /// Checks that structure, target, method and allocation go together.
  private func validateCombination() throws(PruningError) {
    guard method.isLayerLocal else {
      guard allocation != .owl else { throw .allocationDoesNotFit(allocation, method) }
      return
    }
    guard !structure.isStructured else { throw .methodDoesNotFit(method, structure) }
    guard allocation != .global else { throw .allocationDoesNotFit(allocation, method) }
    guard case .nm = structure else { return }
    guard allocation == .uniform else { throw .allocationDoesNotFit(allocation, method) }
    guard target == structure.largestShare else { throw .patternNotWhole(method, structure) }
  }

  /// The same with another method.
  package func priced(by method: Method) -> PruningSettings {
    var result = self
    result.method = method
    return result
  }

  /// Whether the choice after the last step is improved by exchanges.
  var isExchanging: Bool { method.repairs && structure.isExchangeable && exchanges > 0 }

  /// How often each layer is priced at most.
  package var pricings: Int {
    guard isExchanging else { return steps }
    // Elements of all layers are exchanged together, blocks of a layer in one go.
    return steps + (structure == .element ? exchanges + 1 : 1)
  }

  /// The share that is to be removed after each step, rising to ``target``.
  ///
  /// - Parameter current: The share that is removed already.
  /// - Returns: One share a step; the target alone if it is met already.
  package func schedule(from current: Double) -> [Double] {
    guard current < target else { return [target] }
    return (1...steps).map { step in
      guard step < steps else { return target }
      let progress = Double(step) / Double(steps)
      switch ramp {
      case .linear: return current + (target - current) * progress
      case .geometric: return 1 - (1 - current) * power((1 - target) / (1 - current), progress)
      }
    }
  }
}
