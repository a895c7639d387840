import Curvature
package import LinearAlgebra

/// What a layer reads once the layers before it are pruned.
package struct DriftedInputs: Sendable {
  /// `A′`, the mean of `x′ x′ᵀ` over tokens; shape `[inputs (+1), inputs (+1)]`.
  package let activations: Matrix<Float>
  /// `Δ`, the mean of `(x − x′) x′ᵀ`, where `x` is what the layer read before; shape
  /// `[inputs, inputs (+1)]`.
  package let drift: Matrix<Float>

  /// Both means over the same tokens.
  package init(activations: Matrix<Float>, drift: Matrix<Float>) {
    self.activations = activations
    self.drift = drift
  }
}

extension LayerProblem {
  /// The layer at what it reads now, with weights that would come nearest to its old outputs.
  ///
  /// The repair shall make `½ E[(X x′ − W x)ᵀ G (X x′ − W x)]` least. Up to a constant that is
  /// `½⟨X − W′, G (X − W′) A′⟩` with `W′ = W + W Δ A′⁻¹`, damped: the model of every other repair,
  /// with `A′` for `A` and `W′` for `W`.
  ///
  /// - Parameters:
  ///   - inputs: What the layer reads now.
  ///   - plan: What is removed from it.
  ///   - settings: The damping.
  /// - Returns: The layer with `W′`, `A′` and the `G` it has.
  /// - Throws: ``PruningError`` if a shape does not fit or `A′` cannot be used.
  func following(
    _ inputs: DriftedInputs,
    plan: LayerPlan,
    settings: PruningSettings
  ) throws(PruningError) -> LayerProblem {
    guard let factors else { throw .curvatureMissing(layer: name, settings.method) }
    let shape = [mask.inputs, weights.columns]
    guard [inputs.drift.rows, inputs.drift.columns] == shape else {
      throw .shapeMismatch(
        layer: name,
        what: "drift of the inputs",
        expected: shape,
        found: [inputs.drift.rows, inputs.drift.columns]
      )
    }
    let layer = try ActiveLayer(
      try replacing(weights, factors, inputs.activations),
      plan: plan,
      settings: settings
    )
    return try replacing(
      try layer.aimed(atOldOutputs: inputs.drift),
      factors,
      inputs.activations
    )
  }

  private func replacing(
    _ weights: Matrix<Float>,
    _ factors: KroneckerFactors,
    _ activations: Matrix<Float>
  ) throws(PruningError) -> LayerProblem {
    let moved: KroneckerFactors
    do throws(CurvatureError) {
      moved = try KroneckerFactors(activations: activations, gradients: factors.gradients)
    } catch {
      throw .curvature(layer: name, error)
    }
    return try LayerProblem(
      name: name,
      weights: weights,
      hasBias: hasBias,
      factors: moved,
      mask: mask
    )
  }
}

extension ActiveLayer {
  /// `W + W Δ A⁻¹` on the columns of the model.
  fileprivate func aimed(
    atOldOutputs drift: Matrix<Float>
  ) throws(PruningError) -> Matrix<Float> {
    guard let factors, !baseColumns.isEmpty else { return problem.weights }
    let conditioned: ConditionedFactor
    do throws(CurvatureError) {
      conditioned = try ConditionedFactor(
        factors.activations,
        keeping: baseColumns,
        side: .activations
      )
    } catch {
      throw .curvature(layer: problem.name, error)
    }
    let rows = Array(0..<problem.weights.rows)
    let inputs = Array(0..<drift.rows)
    let old = problem.weights.selecting(rows: rows, columns: inputs).widened()
    var shift = Matrix<Double>(rows: rows.count, columns: baseColumns.count)
    multiplyTiled(
      old.view,
      drift.selecting(rows: inputs, columns: baseColumns).widened().view,
      into: &shift
    )
    conditioned.cholesky.solveFromRight(&shift)
    var result = problem.weights
    for row in rows {
      for (place, column) in baseColumns.enumerated() {
        result[row, column] += Float(shift.storage[row * baseColumns.count + place])
      }
    }
    return result
  }
}
