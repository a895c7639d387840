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
      .init("layer_intermediate_size", list(\.innerSize)),
    ]
    guard family.dropsHeads else { return patch }
    patch.assigned += [
      .init("layer_num_attention_heads", list(\.heads)),
      .init("layer_num_key_value_heads", list(\.keyValueHeads)),
      .init("head_dim", JSONValue(configuration.decoder.headSize)),
    ]
    return patch
  }

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
    guard differs else { return }
    patch.assigned += [
      .init("num_attention_heads", JSONValue(shape.heads)),
      .init("num_key_value_heads", JSONValue(shape.keyValueHeads)),
      // Without it the width of a head would follow from their number.
      .init("head_dim", JSONValue(configuration.decoder.headSize)),
    ]
  }
}
