package import ExactJSON

/// A `config.json` that describes a supported model, in the spelling of transformers 4 or 5.
package struct ModelConfiguration: Equatable, Sendable {
  /// What the configuration says about the model.
  package let decoder: DecoderDescription
  /// The row of the table that the model belongs to.
  let family: DecoderFamily

  /// The family's name, `model_type` in the configuration.
  package var modelType: String { family.modelType }

  /// The name of the family's class in transformers.
  package var architecture: String { family.architecture }

  /// What llama.cpp calls models of this family; nil if it does not run them.
  package var ggufArchitecture: String? { family.ggufArchitecture }

  /// The key of the number of neurons.
  package var innerSizeKey: String { family.keys.innerSize }

  /// Reads a configuration; keys that have no bearing on the arithmetic are ignored.
  ///
  /// - Parameter config: The document `config.json`.
  /// - Throws: ``ModelError`` naming the first key that is missing, invalid or not supported.
  package init(config: JSONValue) throws(ModelError) {
    guard let object = config.object else { throw .configurationIsNoObject }
    let reader = ConfigurationReader(object: object)
    family = try Self.family(reader)
    for stated in family.statedKeys { try reader.require(stated) }
    for requirement in DecoderFamily.commonRequirements + family.requirements {
      try reader.require(requirement)
    }
    try Self.requireFullAttention(reader)
    decoder = try Self.decoder(reader, family)
  }

  private static func family(_ reader: ConfigurationReader) throws(ModelError) -> DecoderFamily {
    let architectures = reader.value("architectures")
    let known = DecoderFamily.all.map(\.modelType).joined(separator: ", ")
    guard reader.value("model_type") != nil else {
      for family in DecoderFamily.all
      where architectures?.array?.contains(JSONValue(family.architecture)) == true {
        return family
      }
      throw .missingKey("model_type")
    }
    let type = try reader.text("model_type")
    guard let family = DecoderFamily.all.first(where: { $0.modelType == type }) else {
      throw .unsupported(key: "model_type", found: "\"\(type)\"", supported: known)
    }
    if let architectures {
      let names = Self.architectures(reader, family)
      guard names.contains(where: { architectures.array?.contains(JSONValue($0)) == true }) else {
        let found = ConfigurationReader.show(architectures)
        let supported = names.joined(separator: ", ")
        throw .unsupported(key: "architectures", found: found, supported: supported)
      }
    }
    return family
  }

  /// The architectures that a configuration may name; blocks of different sizes need a class of
  /// their own in transformers.
  private static func architectures(
    _ reader: ConfigurationReader,
    _ family: DecoderFamily
  ) -> [String] {
    let hasLists = BlockLists.all.contains { reader.value($0) != nil }
    return [family.architecture] + (hasLists ? ["Pruned\(family.architecture)"] : [])
  }

  private static func requireFullAttention(_ reader: ConfigurationReader) throws(ModelError) {
    guard let types = reader.value("layer_types") else { return }
    guard let array = types.array, array.allSatisfy({ $0 == "full_attention" }) else {
      let found = ConfigurationReader.show(types)
      throw .unsupported(key: "layer_types", found: found, supported: "\"full_attention\" alone")
    }
  }

  private static func decoder(
    _ reader: ConfigurationReader,
    _ family: DecoderFamily
  ) throws(ModelError) -> DecoderDescription {
    let shapes = try shapes(reader, family)
    var epsilon = family.normEpsilon
    if let key = family.keys.normEpsilon { epsilon = try reader.positive(key, standard: epsilon) }
    return DecoderDescription(
      hiddenSize: shapes.hidden,
      blockShapes: shapes.blocks,
      headSize: shapes.headSize,
      vocabulary: try reader.size("vocab_size", most: 1 << 24),
      positions: try reader.size("max_position_embeddings", most: 1 << 30),
      norm: family.norm,
      normEpsilon: epsilon,
      position: try position(reader, family, headSize: shapes.headSize),
      activation: try activation(reader, family),
      biased: try biased(reader, family),
      isGated: family.isGated,
      isTied: try reader.flag("tie_word_embeddings", standard: family.isTied)
    )
  }
}

extension ModelConfiguration {
  private static func activation(
    _ reader: ConfigurationReader,
    _ family: DecoderFamily
  ) throws(ModelError) -> Activation {
    let key = family.keys.activation
    let name = try reader.text(key, standard: family.activation.rawValue)
    // Two names of one function.
    guard let activation = Activation(rawValue: name == "swish" ? "silu" : name) else {
      throw .unsupported(key: key, found: "\"\(name)\"", supported: "relu, silu")
    }
    return activation
  }

  private static func biased(
    _ reader: ConfigurationReader,
    _ family: DecoderFamily
  ) throws(ModelError) -> Set<LinearRole> {
    var roles: Set<LinearRole> = []
    if try reader.flag(family.inputBias) { roles.formUnion([.query, .key, .value]) }
    if try reader.flag(family.outputBias) { roles.insert(.attentionOutput) }
    if try reader.flag(family.feedForwardBias) {
      roles.formUnion(family.isGated ? [.gate, .up, .down] : [.up, .down])
    }
    return roles
  }
}
