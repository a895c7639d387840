internal import Checkpoint
internal import ExactJSON
internal import Transformer

/// A model whose blocks differ, seen as one whose blocks are equal: zeros fill up the smaller ones.
struct EqualBlocks {
  /// The model with equal blocks.
  let source: HuggingFaceExport.Source
  /// What changes in `config.json` to say so.
  let patch: ConfigurationPatch

  /// Fills up the blocks of a model.
  ///
  /// - Parameter source: A model with per-layer sizes.
  /// - Throws: `ModelError` if the configuration without its lists is not valid.
  init(_ source: HuggingFaceExport.Source) throws {
    let model = source.model
    let whole = ModelCut(blocks: model.decoder.blockShapes.map { BlockCut(keeping: $0) })
    let shape = whole.largestShape
    patch = SizePatch(source.configuration).equalBlocks(shape)
    let document = patch.applied(to: source.directory.configuration)
    let configuration = try ModelConfiguration(config: document)
    self.source = HuggingFaceExport.Source(
      source.directory,
      configuration,
      model: try DecoderModel(
        configuration: configuration,
        source: PaddedTensors(model, to: shape)
      ),
      fingerprint: source.fingerprint
    )
  }
}
