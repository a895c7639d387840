internal import Transformer

/// What the classes of transformers 4.57 to 5 for one family can express.
struct FamilyClass {
  /// Whether heads may be fewer than fill the hidden state.
  let dropsHeads: Bool
  /// Whether the number of heads must divide the hidden size (transformers 5.4 and later).
  let headsDivideHidden: Bool
  /// A family of the same tensors and arithmetic without that demand, where there are no biases.
  let rebadged: Badge?
  /// The class that gives each block its own sizes.
  let blockClass: BlockClass

  /// How a configuration names a family.
  struct Badge {
    let modelType: String
    let architecture: String
  }

  /// The class for a family.
  ///
  /// - Parameter modelType: `model_type` in the configuration.
  /// - Returns: Nil for a family of which it is not known.
  static func of(_ modelType: String) -> FamilyClass? {
    switch modelType {
    case "opt":
      FamilyClass(
        dropsHeads: false,
        headsDivideHidden: true,
        rebadged: nil,
        blockClass: .opt
      )
    case "llama":
      FamilyClass(
        dropsHeads: true,
        headsDivideHidden: true,
        rebadged: Badge(modelType: "mistral", architecture: "MistralForCausalLM"),
        blockClass: .llama
      )
    case "mistral":
      FamilyClass(
        dropsHeads: true,
        headsDivideHidden: false,
        rebadged: nil,
        blockClass: .mistral
      )
    default: nil
    }
  }
}

extension FamilyClass {
  /// Whether the class takes a number of heads that is not the source's.
  func accepts(heads: Int, hiddenSize: Int) -> Bool {
    dropsHeads && (!headsDivideHidden || hiddenSize % heads == 0)
  }

  /// The least sizes for all blocks that the family's class, or its other badge, accepts.
  ///
  /// - Parameters:
  ///   - least: The least sizes that hold every block.
  ///   - decoder: The model before the cut, of equal blocks.
  /// - Returns: The sizes, and the badge that they need.
  func uniformSizes(
    atLeast least: BlockShape,
    of decoder: DecoderDescription
  ) -> (shape: BlockShape, badge: Badge?) {
    let whole = decoder.blockShapes[0]
    let isWhole = least.heads == whole.heads && least.keyValueHeads == whole.keyValueHeads
    guard !isWhole, !accepts(heads: least.heads, hiddenSize: decoder.hiddenSize) else {
      return (least, nil)
    }
    if let rebadged, decoder.biased.isEmpty { return (least, rebadged) }
    var best = whole
    for groups in least.keyValueHeads...whole.keyValueHeads {
      for sharing in least.headsPerGroup...whole.headsPerGroup
      where decoder.hiddenSize % (groups * sharing) == 0 && groups * sharing < best.heads {
        best = BlockShape(heads: groups * sharing, keyValueHeads: groups, innerSize: 0)
      }
    }
    let shape = BlockShape(
      heads: best.heads,
      keyValueHeads: best.keyValueHeads,
      innerSize: least.innerSize
    )
    return (shape, nil)
  }
}
