import ExactJSON

extension ModelConfiguration {
  /// Reads how the order of tokens enters: `rope_parameters` of transformers 5, or `rope_theta` and
  /// `rope_scaling` of transformers 4.
  static func position(
    _ reader: ConfigurationReader,
    _ family: DecoderFamily,
    headSize: Int
  ) throws(ModelError) -> PositionKind {
    if let offset = family.learnedPositionOffset { return .learned(offset: offset) }
    guard headSize % 2 == 0 else {
      throw .invalidValue(key: "head_dim", found: "\(headSize)", expected: "an even number")
    }
    let parameters = try rotaryParameters(reader)
    for part in [reader, parameters] {
      try part.require(.init(key: "partial_rotary_factor", value: JSONValue(1)))
    }
    let base = try parameters.positive(
      "rope_theta",
      standard: try reader.positive("rope_theta", standard: 10_000)
    )
    return .rotary(base: base, scaling: try scaling(parameters, reader))
  }

  private static func rotaryParameters(
    _ reader: ConfigurationReader
  ) throws(ModelError) -> ConfigurationReader {
    for key in ["rope_parameters", "rope_scaling"] {
      guard let value = reader.value(key) else { continue }
      guard let object = value.object else {
        throw reader.invalid(key, value, expected: "an object")
      }
      return ConfigurationReader(object: object, path: "\(key).")
    }
    return ConfigurationReader(object: JSONObject())
  }

  private static func scaling(
    _ parameters: ConfigurationReader,
    _ reader: ConfigurationReader
  ) throws(ModelError) -> RotaryScaling {
    let key = parameters.value("rope_type") == nil ? "type" : "rope_type"
    let type = try parameters.text(key, standard: "default")
    switch type {
    case "default":
      // Settings of single kinds of layers would stand here as objects of their own.
      for (name, value) in parameters.object.members where value.object != nil {
        let found = ConfigurationReader.show(value)
        throw .unsupported(
          key: parameters.path + name.string,
          found: found,
          supported: "one setting for all layers"
        )
      }
      return .none
    case "linear": return .linear(factor: try parameters.positive("factor"))
    case "llama3": return try llama3(parameters, reader)
    default:
      throw .unsupported(
        key: parameters.path + key,
        found: "\"\(type)\"",
        supported: "default, linear, llama3"
      )
    }
  }

  private static func llama3(
    _ parameters: ConfigurationReader,
    _ reader: ConfigurationReader
  ) throws(ModelError) -> RotaryScaling {
    let low = try parameters.positive("low_freq_factor")
    let high = try parameters.positive("high_freq_factor")
    guard high > low else {
      throw .invalidValue(
        key: parameters.path + "high_freq_factor",
        found: "\(high)",
        expected: "more than low_freq_factor, \(low)"
      )
    }
    let key = "original_max_position_embeddings"
    let holder = parameters.value(key) == nil ? reader : parameters
    return .llama3(
      factor: try parameters.positive("factor"),
      lowFrequency: low,
      highFrequency: high,
      originalLength: try holder.size(key, most: 1 << 30)
    )
  }
}
