internal import Checkpoint
internal import ExactJSON
internal import Transformer

/// What `config.json` says of the sizes of a cut model.
struct SizePatch {
  private let configuration: ModelConfiguration

  /// Changes to the configuration of a model.
  ///
  /// - Parameter configuration: The model before the cut.
  init(_ configuration: ModelConfiguration) { self.configuration = configuration }

  /// The changes for blocks of equal sizes.
  func uniform(_ shape: BlockShape, badge: FamilyClass.Badge?) -> ConfigurationPatch {
    var patch = ConfigurationPatch()
    assignNeurons(shape.innerSize, to: &patch)
    assignHeads(shape, to: &patch)
    guard let badge else { return patch }
    patch.assigned += [
      .init("architectures", [JSONValue(badge.architecture)]),
      .init("model_type", JSONValue(badge.modelType)),
      // Otherwise transformers takes the size that Mistral 7B has.
      .init("sliding_window", .null),
      .init("num_key_value_heads", JSONValue(shape.keyValueHeads)),
    ]
    return patch
  }

  /// The changes for blocks of different sizes, which a class of ours reads from lists.
  ///
  /// The usual keys hold the maximum, or where the family's class would refuse such a number of
  /// heads, what they held before.
  func perLayer(_ cut: ModelCut, _ family: FamilyClass) -> ConfigurationPatch {
    var patch = ConfigurationPatch()
    let (shapes, largest) = (cut.shapes, cut.largestShape)
    assignNeurons(largest.innerSize, to: &patch)
    if family.accepts(heads: largest.heads, hiddenSize: configuration.decoder.hiddenSize) {
      assignHeads(largest, to: &patch)
    }
    func list(_ size: (BlockShape) -> Int) -> JSONValue {
      .array(shapes.map { JSONValue(size($0)) })
    }
    let reference = "\(BlockClass.module).\(family.blockClass.name)"
    patch.assigned += [
      .init("architectures", [JSONValue(family.blockClass.name)]),
      .init("auto_map", ["AutoModelForCausalLM": JSONValue(reference)]),
      .init(Self.innerSizes, list(\.innerSize)),
    ]
    guard family.dropsHeads else { return patch }
    patch.assigned += [
      .init(Self.heads, list(\.heads)),
      .init(Self.keyValueHeads, list(\.keyValueHeads)),
      .init("head_dim", JSONValue(configuration.decoder.headSize)),
    ]
    return patch
  }

  /// The changes that make equal blocks of those that lists describe.
  ///
  /// - Parameters:
  ///   - shape: The sizes of all blocks.
  ///   - document: The `config.json` with the lists, whose usual keys may hold anything.
  /// - Returns: The changes, after which the lists are gone.
  func equalBlocks(_ shape: BlockShape, _ document: JSONValue) -> ConfigurationPatch {
    var patch = ConfigurationPatch()
    patch.assigned.append(.init(JSONText(configuration.innerSizeKey), JSONValue(shape.innerSize)))
    if document[Self.heads] != nil || document[Self.keyValueHeads] != nil {
      patch.assigned += heads(shape)
    }
    patch.assigned.append(.init("architectures", [JSONValue(configuration.architecture)]))
    patch.removed = [Self.innerSizes, Self.heads, Self.keyValueHeads, "auto_map"]
    return patch
  }

  /// Whether a `config.json` has sizes for each block.
  static func hasLists(_ document: JSONValue) -> Bool {
    [innerSizes, heads, keyValueHeads].contains { document[$0] != nil }
  }

  /// The keys of the lists with the sizes of each block.
  private static let innerSizes: JSONText = "layer_intermediate_size"
  private static let heads: JSONText = "layer_num_attention_heads"
  private static let keyValueHeads: JSONText = "layer_num_key_value_heads"

  /// States a number of neurons that differs from the source's.
  private func assignNeurons(_ count: Int, to patch: inout ConfigurationPatch) {
    guard configuration.decoder.blockShapes.contains(where: { $0.innerSize != count }) else {
      return
    }
    patch.assigned.append(.init(JSONText(configuration.innerSizeKey), JSONValue(count)))
  }

  /// States numbers of heads that differ from the source's.
  private func assignHeads(_ shape: BlockShape, to patch: inout ConfigurationPatch) {
    let differs = configuration.decoder.blockShapes.contains {
      $0.heads != shape.heads || $0.keyValueHeads != shape.keyValueHeads
    }
    if differs { patch.assigned += heads(shape) }
  }

  private func heads(_ shape: BlockShape) -> [ConfigurationPatch.Member] {
    [
      .init("num_attention_heads", JSONValue(shape.heads)),
      .init("num_key_value_heads", JSONValue(shape.keyValueHeads)),
      // Without it the width of a head would follow from their number.
      .init("head_dim", JSONValue(configuration.decoder.headSize)),
    ]
  }
}
