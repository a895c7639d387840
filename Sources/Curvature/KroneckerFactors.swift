package import LinearAlgebra

/// The two factors of a layer's curvature: `F ≈ G ⊗ A`, in nats per token.
///
/// `½⟨D, G D A⟩` estimates by how much a change `D` of the layer's weights raises the mean loss.
package struct KroneckerFactors: Equatable, Sendable {
  /// `A`, the mean of `x xᵀ` over tokens; shape `[inputs, inputs]`.
  ///
  /// Where the layer has a bias, `x` ends with a 1, so the shape is `[inputs + 1, inputs + 1]`.
  package let activations: Matrix<Float>

  /// `G`, the mean of `g gᵀ` over tokens; shape `[outputs, outputs]`.
  package let gradients: Matrix<Float>

  /// Checks that both factors can be what they are taken for.
  ///
  /// - Throws: ``CurvatureError`` if a factor is not square, holds NaN or infinity, or has a
  ///   negative entry on its diagonal.
  package init(activations: Matrix<Float>, gradients: Matrix<Float>) throws(CurvatureError) {
    try Self.check(activations, .activations)
    try Self.check(gradients, .gradients)
    self.activations = activations
    self.gradients = gradients
  }

  private static func check(_ factor: Matrix<Float>, _ side: Side) throws(CurvatureError) {
    guard factor.rows == factor.columns else {
      throw .notSquare(side, rows: factor.rows, columns: factor.columns)
    }
    guard factor.isFinite else { throw .notFinite(side) }
    for index in 0..<factor.rows where factor[index, index] < 0 {
      throw .negativeDiagonal(side, index: index)
    }
  }

  /// Which of the two factors.
  package enum Side: String, Sendable {
    /// `A`, from what enters the layer.
    case activations
    /// `G`, from the gradients at what leaves it.
    case gradients
  }
}

extension KroneckerFactors {
  /// The predicted rise of the mean loss for a change of the weights, in nats per token.
  ///
  /// - Parameter change: `D`, the new weights less the old; shape `[outputs, inputs]`.
  /// - Returns: `½⟨D, G D A⟩`.
  package func loss(of change: Matrix<Float>) -> Double {
    quadraticLoss(of: change, activations: activations, gradients: gradients)
  }
}

/// `½⟨D, G D A⟩`, accumulated in double precision.
///
/// - Parameters:
///   - change: `D`, shape `[outputs, inputs]`.
///   - activations: `A`, shape `[inputs, inputs]`.
///   - gradients: `G`, shape `[outputs, outputs]`.
/// - Returns: The predicted rise of the loss.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
package func quadraticLoss<Scalar: BLASScalar>(
  of change: Matrix<Scalar>,
  activations: Matrix<Scalar>,
  gradients: Matrix<Scalar>
) -> Double {
  var left = Matrix<Scalar>(rows: change.rows, columns: change.columns)
  multiplyTiled(gradients.view, change.view, into: &left)
  var right = Matrix<Scalar>(rows: change.rows, columns: change.columns)
  multiplyTiled(change.view, activations.view, into: &right)
  // ⟨D, G D A⟩ = ⟨G D, D A⟩: both factors are symmetric.
  return left.inner(right) / 2
}
