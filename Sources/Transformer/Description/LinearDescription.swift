package import Tensors

/// What is known of one linear layer without its weights.
package struct LinearDescription: Equatable, Sendable {
  /// The module's name in transformers, such as `model.layers.0.mlp.down_proj`.
  package let name: String
  /// The last part of the name, such as `down_proj`; the same in every block.
  package let kind: String
  /// The layer's part in its block.
  package let role: LinearRole
  /// The number of the block that holds the layer.
  package let block: Int
  /// The name of the weight `W`, shape `[outputs, inputs]`, as stored.
  package let weight: TensorName
  /// The name of the bias, shape `[outputs]`, as stored; nil without one.
  package let bias: TensorName?
  /// The number of outputs, the rows of the weight.
  package let outputs: Int
  /// The number of inputs, the columns of the weight; the bias is not counted.
  package let inputs: Int
  /// The name of the group of layers that read the same input, and so share one `A`.
  package let inputGroup: String

  /// Whether the layer has a bias.
  package var hasBias: Bool { bias != nil }
}

/// Linear layers of one block that read the same input.
package struct InputGroup: Equatable, Sendable {
  /// The name of the group: that of its first layer.
  package let name: String
  /// The number of the block that holds the layers.
  package let block: Int
  /// The layers, as positions in ``DecoderModel/linears``.
  package let linears: [Int]
  /// The width of the input.
  package let inputs: Int
  /// Whether the layers have a bias: all of a group have one, or none.
  package let hasBias: Bool
}

extension LinearRole {
  /// The roles that read the same input, in order.
  static func groups(of decoder: DecoderDescription) -> [[LinearRole]] {
    [
      [.query, .key, .value], [.attentionOutput],
      decoder.isGated ? [.gate, .up] : [.up], [.down],
    ]
  }
}
