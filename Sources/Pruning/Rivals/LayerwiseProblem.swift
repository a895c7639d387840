import Curvature
package import LinearAlgebra

/// One layer as the methods see it that look at each layer's own output: least
/// `‖(X − W) x‖²` over the tokens, with no thought of the loss.
///
/// Biases are no part of it, as published: they keep their values.
package struct LayerwiseProblem: Sendable {
  /// The layer's name, for messages.
  package let name: String
  /// `W` without the bias; shape `[outputs, inputs]`.
  package let weights: Matrix<Float>
  /// `A` without the bias, the mean of `x xᵀ` over tokens; shape `[inputs, inputs]`.
  package let moment: Matrix<Float>
  /// One where a weight may be kept, zero where an earlier pruning removed it; shape of `W`.
  package let initial: Matrix<Float>

  /// Takes a layer and the activations before it.
  ///
  /// - Parameters:
  ///   - problem: The layer; its factors are not looked at.
  ///   - activations: `A`, with or without a bias's last row and column.
  /// - Throws: ``PruningError`` if `A` does not fit the layer, is not finite, or has a negative
  ///   diagonal entry.
  package init(_ problem: LayerProblem, activations: Matrix<Float>) throws(PruningError) {
    let (outputs, inputs) = (problem.mask.outputs, problem.mask.inputs)
    guard activations.rows == activations.columns,
      activations.rows == inputs
        || problem.hasBias && activations.rows == inputs + 1
    else {
      throw .shapeMismatch(
        layer: problem.name,
        what: "factor of the activations",
        expected: [inputs],
        found: [activations.rows]
      )
    }
    guard activations.isFinite else {
      throw .curvature(layer: problem.name, .notFinite(.activations))
    }
    for index in 0..<inputs where activations[index, index] < 0 {
      throw .curvature(layer: problem.name, .negativeDiagonal(.activations, index: index))
    }
    name = problem.name
    let columns = Array(0..<inputs)
    weights = problem.weights.selecting(rows: Array(0..<outputs), columns: columns)
    moment = activations.selecting(rows: columns, columns: columns)
    initial = problem.mask.support()
  }

  /// The mean square of each input: the diagonal of `A`.
  package var meanSquares: [Float] { (0..<moment.rows).map { moment[$0, $0] } }

  /// The relative error of the output, `‖(X − W) x‖² / ‖W x‖²` summed over tokens.
  ///
  /// - Parameter changed: `X`, of the shape of `W`.
  /// - Returns: 0 for the weights as they are, 1 for no weights at all; 0 if the output is zero.
  package func outputError(of changed: Matrix<Float>) -> Double {
    var gap = changed
    let weights = weights
    forEachPiece(of: &gap) { start, entries in
      let before = weights.elements
      for index in entries.indices { entries[index] -= before[start + index] }
    }
    let size = energy(weights)
    return size > 0 ? energy(gap) / size : 0
  }

  /// `⟨X, X A⟩`.
  private func energy(_ matrix: Matrix<Float>) -> Double {
    var product = Matrix<Float>(rows: matrix.rows, columns: matrix.columns)
    multiplyTiled(matrix.view, moment.view, into: &product)
    return max(0, product.inner(matrix))
  }
}

/// How much of one layer is removed.
package enum LayerwiseTarget: Equatable, Sendable {
  /// This share of its weights, rounded to a whole number of them.
  case share(Double)
  /// All but `kept` of each `of` consecutive weights along the inputs.
  case pattern(kept: Int, of: Int)
}

/// What a layer-local method made of a layer.
package struct LayerwiseSolution: Sendable {
  /// The new weights without the bias, zero where removed; shape `[outputs, inputs]`.
  package let weights: Matrix<Float>
  /// One where a weight is kept, zero where it is removed; shape `[outputs, inputs]`.
  package let support: Matrix<Float>
  /// The iterations that it took; zero for methods without.
  package var iterations = 0
  /// How often the damping had to be raised tenfold.
  package var timesDampingRaised = 0
}

extension LayerMask {
  /// One where a weight is kept, zero where it is removed; shape `[outputs, inputs]`.
  func support() -> Matrix<Float> {
    var result = Matrix<Float>(rows: outputs, columns: inputs)
    guard inputs > 0 else { return result }
    concurrentChunks(of: &result.storage, size: inputs) { row, entries in
      let flags = keptFlags(row: row)
      for column in entries.indices { entries[column] = flags[column] ? 1 : 0 }
    }
    return result
  }

  /// The mask that also removes what a support lacks.
  func removing(outside support: Matrix<Float>) -> LayerMask {
    var result = self
    result.listElements()
    for row in keptRows.indices {
      for column in 0..<inputs where support[row, column] == 0 {
        result.removeElement(row: row, column: column)
      }
    }
    return result
  }
}

/// Hands out pieces of a matrix, each with the index of its first entry, in parallel.
func forEachPiece(
  of matrix: inout Matrix<Float>,
  _ body: @Sendable (Int, inout MutableSpan<Float>) -> Void
) {
  let size = 1 << 16
  concurrentChunks(of: &matrix.storage, size: size) { piece, entries in
    body(piece * size, &entries)
  }
}
