package import Checkpoint
internal import ExactJSON
internal import Tensors
package import Transformer

/// A model without some of its blocks, the others numbered anew: an ordinary model of fewer blocks.
package struct FewerBlocks {
  /// The model as a directory; it can be written in every profile.
  package let directory: ModelDirectory
  /// What its `config.json` says.
  package let configuration: ModelConfiguration
  /// The model.
  package let model: DecoderModel

  /// Leaves blocks out.
  ///
  /// - Parameters:
  ///   - directory: The directory of the whole model.
  ///   - model: The whole model, with the weights that are written.
  ///   - blocks: The blocks that are kept, in ascending order; at least one.
  /// - Throws: `ModelError` if what is left is no model.
  package init(
    _ directory: ModelDirectory,
    _ model: DecoderModel,
    keeping blocks: [Int]
  ) throws(ModelError) {
    precondition(!blocks.isEmpty, "a model has blocks")
    self.directory = directory.keeping(
      model.names(keepingBlocks: blocks),
      of: model.source,
      Self.patch(directory.configuration, keeping: blocks, of: model.decoder.blocks)
    )
    configuration = try ModelConfiguration(config: self.directory.configuration)
    self.model = try DecoderModel(configuration: configuration, source: self.directory.tensors)
  }

  /// The number of blocks, and the lists that have an entry for each block.
  ///
  /// All such lists of transformers are named after layers: `layer_types`, and those of pruned
  /// models.
  private static func patch(
    _ document: JSONValue,
    keeping blocks: [Int],
    of count: Int
  ) -> ConfigurationPatch {
    var patch = ConfigurationPatch()
    guard blocks.count < count, let object = document.object else { return patch }
    patch.assigned.append(.init("num_hidden_layers", JSONValue(blocks.count)))
    let prefix = Array("layer_".utf8)
    for (key, value) in object.members where key.utf8.starts(with: prefix) {
      guard let list = value.array, list.count == count else { continue }
      patch.assigned.append(.init(key, .array(blocks.map { list[$0] })))
    }
    return patch
  }
}
