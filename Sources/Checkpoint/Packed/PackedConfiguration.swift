package import ExactJSON

/// What old versions of compressed-tensors want to read about packed weights in `config.json`.
///
/// Version 0.14 was the last that reads ``PackedFormat/twoOfFour``; later ones refuse the entry.
package enum PackedConfiguration {
  /// The key of the entry.
  package static let key: JSONText = "quantization_config"

  /// The entry for weights that are packed in one format.
  ///
  /// - Parameters:
  ///   - format: The format of the weights of all linear layers but the head.
  ///   - head: The name of the output head's module, which is not packed.
  ///   - share: The share of their elements that is zero.
  /// - Returns: The value of ``key``.
  package static func entry(_ format: PackedFormat, head: String, share: Double) -> JSONValue {
    [
      "quant_method": "compressed-tensors",
      "version": "0.14.0",
      "format": "dense",
      "sparsity_config": [
        "format": JSONValue(format.rawValue),
        "targets": ["Linear"],
        "ignore": [JSONValue(head)],
        "global_sparsity": JSONValue(share),
        "sparsity_structure": format == .twoOfFour ? "2:4" : "unstructured",
        "registry_requires_subclass": false,
      ],
    ]
  }

  /// A configuration without the entry, where it says nothing but how zeros are left out.
  static func removed(from configuration: JSONValue) -> JSONValue {
    guard let entry = configuration[key], entry["quant_method"] == "compressed-tensors",
      entry["format"] == "dense", let format = entry["sparsity_config"]?["format"]?.string,
      PackedFormat(rawValue: format) != nil,
      entry["config_groups"]?.object?.members.isEmpty != false,
      var object = configuration.object
    else { return configuration }
    object[key] = nil
    return .object(object)
  }
}
