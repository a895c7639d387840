package import Curvature
package import LinearAlgebra

/// One linear layer and what is known about it.
package struct LayerProblem: Sendable {
  /// The layer's name, for messages.
  package let name: String
  /// `W`, with the bias as last column if there is one; shape `[outputs, inputs (+1)]`.
  package let weights: Matrix<Float>
  /// Whether the last column of the weights is the bias.
  package let hasBias: Bool
  /// The curvature at these weights; nothing only for ``Method/magnitude``.
  package let factors: KroneckerFactors?
  /// What earlier calibrations removed.
  package let mask: LayerMask

  /// Checks that the parts belong together.
  ///
  /// - Throws: ``PruningError`` if a shape differs or a weight is not finite.
  package init(
    name: String,
    weights: Matrix<Float>,
    hasBias: Bool,
    factors: KroneckerFactors?,
    mask: LayerMask
  ) throws(PruningError) {
    let shape = [mask.outputs, mask.inputs + (hasBias ? 1 : 0)]
    func require(_ what: String, _ found: [Int], _ expected: [Int]) throws(PruningError) {
      guard found == expected else {
        throw .shapeMismatch(layer: name, what: what, expected: expected, found: found)
      }
    }
    try require("weight matrix", [weights.rows, weights.columns], shape)
    if let factors {
      try require("factor of the activations", [factors.activations.rows], [shape[1]])
      try require("factor of the gradients", [factors.gradients.rows], [shape[0]])
    }
    guard weights.isFinite else { throw .weightsNotFinite(layer: name) }
    self.name = name
    self.weights = weights
    self.hasBias = hasBias
    self.factors = factors
    self.mask = mask
  }
}

/// What must be known about a layer without reading its weights.
package struct LayerDescription: Hashable, Sendable {
  /// The layer's name, for messages.
  package let name: String
  /// What earlier calibrations removed; it knows the layer's shape.
  package let mask: LayerMask
  /// Whether the layer has a bias.
  package let hasBias: Bool

  /// The number of columns of the weights, with the bias.
  package var columns: Int { mask.inputs + (hasBias ? 1 : 0) }

  /// Describes one layer.
  package init(name: String, mask: LayerMask, hasBias: Bool) {
    self.name = name
    self.mask = mask
    self.hasBias = hasBias
  }
}

/// The layers that are pruned together, read one at a time.
package protocol LayerStore: Sendable {
  /// All layers, in the order in which plans list them.
  var layers: [LayerDescription] { get }

  /// Reads the weights and the curvature of one layer; called once a layer and pass, from several
  /// threads at once.
  func problem(at index: Int) throws -> LayerProblem
}

/// Layers that are all in memory.
package struct LayersInMemory: LayerStore {
  /// The layers and what is known about them.
  package let problems: [LayerProblem]

  /// Takes the layers over.
  package init(_ problems: [LayerProblem]) { self.problems = problems }

  package var layers: [LayerDescription] {
    problems.map { LayerDescription(name: $0.name, mask: $0.mask, hasBias: $0.hasBias) }
  }

  package func problem(at index: Int) -> LayerProblem { problems[index] }
}
