import Curvature
package import LinearAlgebra

/// The error of a layer's output by two sets of weights, `‖(X − W) x‖² / ‖W x‖²` over all tokens.
package struct OutputErrors: Equatable, Sendable {
  /// Had the removed weights only been set to zero.
  package let zeroedOnly: Double
  /// With the new weights.
  package let repaired: Double
}

extension LayerProblem {
  /// Prunes the layer by a method that looks at its output alone.
  ///
  /// - Parameters:
  ///   - activations: `A`, the mean of `x xᵀ` over tokens, with or without the bias's last row and
  ///     column. The layer's own factors are not looked at.
  ///   - share: The share of the weights to remove; an N:M pattern removes its own.
  ///   - settings: The method, the structure and the damping.
  ///   - progress: Told of iterations, where the method has any.
  /// - Returns: The new weights, with the bias as it was, and the errors of the output.
  /// - Throws: ``PruningError`` if the activations do not fit or cannot be used, or the method is
  ///   not of this kind.
  package func prunedLayerwise(
    activations: Matrix<Float>,
    share: Double,
    settings: PruningSettings,
    progress: (Int) -> Void = { _ in }
  ) throws(PruningError) -> LayerOutcome {
    let layer = try LayerwiseProblem(self, activations: activations)
    let target = try settings.layerwiseTarget(share, layer: self)
    let solution: LayerwiseSolution
    switch settings.method {
    case .wanda: solution = try Wanda(layer).solve(target)
    case .sparsegpt:
      solution = try SparseGPT(layer, damping: settings.damping.activations).solve(target)
    case .alps:
      solution = try ALPS(layer, damping: settings.damping.activations)
        .solve(target, progress: progress)
    case .surgeon, .kobd, .lobd, .magnitude, .activation:
      throw .methodDoesNotFit(settings.method, settings.structure)
    }
    var result = weights
    result.scatter(
      solution.weights,
      rows: Array(0..<mask.outputs),
      columns: Array(0..<mask.inputs)
    )
    return LayerOutcome(
      weights: result,
      figures: LayerFigures(
        mask: mask.removing(outside: solution.support),
        lossZeroedOnly: nil,
        lossRepaired: nil,
        damping: settings.damping,
        timesDampingRaised: solution.timesDampingRaised,
        iterations: solution.iterations,
        outputErrors: OutputErrors(
          zeroedOnly: layer.outputError(of: layer.weights.masked(by: solution.support)),
          repaired: layer.outputError(of: solution.weights)
        )
      )
    )
  }
}

extension PruningSettings {
  fileprivate func layerwiseTarget(
    _ share: Double,
    layer: LayerProblem
  ) throws(PruningError) -> LayerwiseTarget {
    guard case .nm(let kept, let size) = structure else { return .share(share) }
    guard layer.mask.inputs % size == 0 else {
      throw .blocksDoNotFit(layer: layer.name, inputs: layer.mask.inputs, block: size)
    }
    return .pattern(kept: kept, of: size)
  }
}
