package import LinearAlgebra

extension Adapter {
  /// The gradients of a loss with respect to the factors.
  ///
  /// With `G = ∂loss/∂(effective matrix)` and `H` that of `s B A`, which is `G`, `M ∘ G` (MaskLoRA) or
  /// `W ∘ G` (ScaleLoRA, SPP): `∂loss/∂B = s H Aᵀ` and `∂loss/∂A = s Bᵀ H`.
  ///
  /// - Parameters:
  ///   - gradient: `G`, shape `[outputs, inputs]`.
  ///   - weight: `W`, the matrix as it came.
  ///   - a: The entries of `A`.
  ///   - b: The entries of `B`.
  /// - Returns: Entries in the order of the factors'.
  package func gradients(
    _ gradient: Matrix<Float>,
    weight: Matrix<Float>,
    a: [Float],
    b: [Float]
  ) -> (a: [Float], b: [Float]) {
    var slope = gradient
    if kind == .maskLoRA { mask.apply(to: &slope.storage) }
    if kind.isRelative {
      forEachPiece(of: &slope) { start, entries in
        let weights = weight.elements
        for index in entries.indices { entries[index] *= weights[start + index] }
      }
    }
    let left = Matrix<Float>(rows: outputs, columns: shape.rank, storage: b)
    let right = Matrix<Float>(rows: shape.rank, columns: inputs, storage: a)
    var forA = Matrix<Float>(rows: shape.rank, columns: inputs)
    var forB = Matrix<Float>(rows: outputs, columns: shape.rank)
    multiplyTiled(left.transposedView, slope.view, scale: scale, into: &forA)
    multiplyTiled(slope.view, right.transposedView, scale: scale, into: &forB)
    return (forA.storage, forB.storage)
  }
}
