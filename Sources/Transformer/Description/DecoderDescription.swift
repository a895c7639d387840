/// How a vector is normalised before a part of a block.
package enum NormKind: Equatable, Sendable {
  /// LayerNorm: subtract the mean, divide by the deviation; weight and bias.
  case layer
  /// RMSNorm: divide by the root of the mean square; weight only.
  case rootMeanSquare
}

/// The function between the two halves of a feed-forward part.
package enum Activation: String, Equatable, Sendable {
  /// `max(x, 0)`.
  case relu
  /// `x / (1 + exp(−x))`.
  case silu
}

/// How rotary frequencies are changed for sequences longer than those of the first training.
package enum RotaryScaling: Equatable, Sendable {
  /// Not at all.
  case none
  /// All divided by a factor.
  case linear(factor: Double)
  /// Low ones divided by a factor, high ones kept, those between blended.
  case llama3(factor: Double, lowFrequency: Double, highFrequency: Double, originalLength: Int)
}

/// How a model knows the order of tokens.
package enum PositionKind: Equatable, Sendable {
  /// A table of vectors added to the token embeddings; position `p` is row `p + offset`.
  case learned(offset: Int)
  /// Queries and keys are rotated by angles proportional to the position.
  case rotary(base: Double, scaling: RotaryScaling)
}

/// A linear layer's part in its block.
package enum LinearRole: String, CaseIterable, Sendable {
  case query, key, value, attentionOutput, gate, up, down
}

/// Everything about a decoder-only transformer but its weights and its tensors' names.
package struct DecoderDescription: Equatable, Sendable {
  /// The width of the hidden state.
  package let hiddenSize: Int
  /// The sizes of each block.
  package internal(set) var blockShapes: [BlockShape]
  /// The width of one head, the same in all blocks.
  package let headSize: Int
  /// The number of tokens in the vocabulary.
  package let vocabulary: Int
  /// The longest sequence that the model was made for; a limit only with learned positions.
  package let positions: Int
  /// What normalises the input of each part.
  package let norm: NormKind
  /// What is added to a variance or mean square before its root; no unit.
  package let normEpsilon: Double
  /// How the order of tokens enters.
  package let position: PositionKind
  /// The function between the halves of a feed-forward part.
  package let activation: Activation
  /// The linear layers of a block that have a bias.
  package let biased: Set<LinearRole>
  /// Whether the feed-forward part multiplies by an activated gate.
  package let isGated: Bool
  /// Whether the output projection is the token embedding.
  package let isTied: Bool

  /// The number of blocks.
  package var blocks: Int { blockShapes.count }

  /// The sizes that all blocks have, unless they differ.
  package var uniformShape: BlockShape? {
    guard let first = blockShapes.first else { return nil }
    return blockShapes.allSatisfy { $0 == first } ? first : nil
  }

  /// The linear layers of a block, in order.
  package var roles: [LinearRole] { LinearRole.allCases.filter { $0 != .gate || isGated } }

  /// The shape of a linear layer's weight.
  ///
  /// - Parameters:
  ///   - role: The layer's part in its block.
  ///   - block: The number of the block.
  /// - Returns: Its rows and columns, `[outputs, inputs]`.
  package func shape(of role: LinearRole, block: Int) -> (outputs: Int, inputs: Int) {
    let shape = blockShapes[block]
    return switch role {
    case .query: (shape.heads * headSize, hiddenSize)
    case .key, .value: (shape.keyValueHeads * headSize, hiddenSize)
    case .attentionOutput: (hiddenSize, shape.heads * headSize)
    case .gate, .up: (shape.innerSize, hiddenSize)
    case .down: (hiddenSize, shape.innerSize)
    }
  }
}
