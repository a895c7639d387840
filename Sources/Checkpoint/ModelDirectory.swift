package import ExactJSON
package import Tensors

/// A model in the layout of Hugging Face: a configuration, weights, and files that come with them.
package struct ModelDirectory: Sendable {
  /// The name of the file that every model has.
  package static let configurationName = "config.json"

  /// Where it is.
  package let path: String
  /// The configuration as it stands in the file, less what it says of packed weights.
  package let configurationBytes: [UInt8]
  /// The configuration, an object.
  package let configuration: JSONValue
  /// The weights, packed ones with their zeros.
  package let tensors: any TensorSource
  /// How the weights are spread over files.
  package let layout: WeightLayout

  /// Opens a model; its weights are mapped, not read.
  ///
  /// - Parameter path: The directory.
  /// - Throws: ``CheckpointError`` if something is missing or contradictory, and the errors of the
  ///   file formats.
  package init(_ path: String) throws {
    guard FileSystem.isDirectory(path) else { throw CheckpointError.noDirectory(path) }
    let configurationPath = FilePath.join(path, Self.configurationName)
    guard FileSystem.exists(configurationPath) else {
      throw CheckpointError.missingFile(configurationPath)
    }
    let stored = try JSONFile.read(configurationPath)
    configuration = PackedConfiguration.removed(from: stored.value)
    configurationBytes =
      configuration == stored.value ? stored.bytes : JSONWriter.write(configuration, indent: 2)
    let weights = try WeightFiles(path)
    tensors = weights.tensors
    layout = weights.layout
    self.path = path
  }

  /// A model whose configuration and weights are known.
  init(
    path: String,
    configuration: JSONValue,
    tensors: any TensorSource,
    layout: WeightLayout
  ) {
    self.path = path
    self.configuration = configuration
    configurationBytes = JSONWriter.write(configuration, indent: 2)
    self.tensors = tensors
    self.layout = layout
  }

  /// A fingerprint of the configuration and of every tensor's name, element type, shape and bytes.
  ///
  /// It does not depend on how the tensors are spread over files.
  ///
  /// - Returns: The fingerprint.
  /// - Throws: If a tensor cannot be read.
  package func fingerprint() throws -> ContentHash {
    var hasher = ContentHasher()
    hasher.update(configurationBytes.count)
    hasher.update(configurationBytes)
    for name in tensors.names {
      let description = try tensors.existing(name)
      let type = Array(description.elementType.rawValue.utf8)
      for field in [name.utf8, type] {
        hasher.update(field.count)
        hasher.update(field)
      }
      hasher.update(description.shape.count)
      for extent in description.shape { hasher.update(extent) }
      try tensors.withBytes(name) { hasher.update($0) }
    }
    return hasher.finalize()
  }

  /// Whether the output head is the token embedding, by the configuration or, where that is silent,
  /// by the default of the model's family.
  package var tiesEmbeddings: Bool {
    if let ties = configuration["tie_word_embeddings"]?.bool { return ties }
    return Self.familiesTiedByDefault.contains(configuration["model_type"]?.string ?? "")
  }

  private static let familiesTiedByDefault: Set<String> = ["gemma", "gemma2", "gpt2", "opt"]

  /// The files beside the weights that belong to the model (tokenizer, license, …), sorted by name.
  ///
  /// - Returns: Their names.
  /// - Throws: `FileError` if the directory cannot be listed.
  package func companionFiles() throws(FileError) -> [String] {
    try FileSystem.names(in: path).filter { name in
      let isCompanion =
        Self.companions.contains(name)
        || Self.companionPrefixes.contains { name.utf8.starts(with: $0.utf8) }
      return isCompanion && !FileSystem.isDirectory(FilePath.join(path, name))
    }
  }

  private static let companions: Set<String> = [
    "added_tokens.json", "chat_template.jinja", "chat_template.json", "generation_config.json",
    "merges.txt", "special_tokens_map.json", "tokenizer.json", "tokenizer.model",
    "tokenizer_config.json", "vocab.json",
  ]

  private static let companionPrefixes = ["LICENSE", "NOTICE", "README"]
}
