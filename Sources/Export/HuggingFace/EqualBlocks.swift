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
  /// - Parameters:
  ///   - source: A model with per-layer sizes.
  ///   - family: What its class takes.
  /// - Throws: `ModelError` if the configuration without its lists is not valid.
  init(_ source: HuggingFaceExport.Source, _ family: FamilyClass) throws {
    let model = source.model
    let whole = ModelCut(blocks: model.decoder.blockShapes.map { BlockCut(keeping: $0) })
    let shape = family.filledSizes(atLeast: whole.largestShape, of: model.decoder)
    patch = SizePatch(source.configuration).equalBlocks(shape, source.directory.configuration)
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
