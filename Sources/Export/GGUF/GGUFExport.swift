internal import GGUF
package import Tensors
package import Transformer

/// Which of llama.cpp's architectures a model is written as.
public enum ExportArchitecture: String, Sendable, CaseIterable {
  /// The family's own where all blocks have the same sizes, otherwise `deci`.
  case automatic = "auto"
  /// The family's own, such as `llama`; blocks are kept as large as the largest.
  case own
  /// `deci`, which gives each block its own sizes.
  case deci
}

/// Writes a model as a GGUF file, the format of llama.cpp.
package struct GGUFExport {
  /// What was written.
  package struct Summary: Equatable, Sendable {
    /// The value of `general.architecture`.
    package let architecture: String
    /// How matrices are stored.
    package let precision: ElementType
    /// The sizes of the blocks.
    package let shapes: [BlockShape]
  }

  /// What the model is called in the file.
  package let name: String
  /// The model.
  package let model: DecoderModel
  /// Its configuration.
  package let configuration: ModelConfiguration
  /// What can be kept at least.
  package let cut: ModelCut
  /// The tokenizer; a file without one takes token ids only.
  package var vocabulary: GGUFVocabulary?
  /// The architecture.
  package var architecture = ExportArchitecture.automatic
  /// How matrices are stored: F32, F16 or BF16; as in the model if nil.
  package var precision: ElementType?

  /// An export with the standard choices.
  ///
  /// - Parameters:
  ///   - name: What the model is called in the file.
  ///   - model: The model.
  ///   - configuration: Its configuration.
  ///   - cut: What can be kept at least, without changing what it computes.
  package init(
    name: String,
    model: DecoderModel,
    configuration: ModelConfiguration,
    cut: ModelCut
  ) {
    self.name = name
    self.model = model
    self.configuration = configuration
    self.cut = cut
  }

  /// Refuses a model that llama.cpp cannot run, before its weights are read.
  ///
  /// - Parameter configuration: The model.
  /// - Throws: ``GGUFExportError``.
  package static func check(_ configuration: ModelConfiguration) throws(GGUFExportError) {
    _ = try GGUFArchitecture.own(of: configuration)
    try GGUFPlan.check(configuration.decoder)
  }

  /// Writes the file; it appears only when it is complete.
  ///
  /// - Parameter path: Where the file will be; an existing file is replaced.
  /// - Returns: What was written.
  /// - Throws: ``GGUFExportError`` if llama.cpp cannot run the model, `TensorError` if a number is
  ///   too large for the precision, `GGUFError` or `FileError`. Then nothing is left.
  package func write(to path: String) throws -> Summary {
    var plan = try GGUFPlan(configuration, cut, architecture)
    plan.leaveOutAttention(of: try model.blocksWithSilentAttention())
    let source = CutTensors(model, plan.cut)
    let precision = try precision ?? storedPrecision(source)
    let tensors = try GGUFTensors(model: model, plan: plan, precision: precision, source: source)
      .all()
    let metadata = GGUFMetadata(decoder: model.decoder, plan: plan, precision: precision)
    let tokens = vocabulary?.entries ?? GGUFVocabulary.none
    try GGUFWriter.write(metadata.entries(name: name) + tokens, tensors, to: path)
    return Summary(
      architecture: plan.architecture.name,
      precision: precision,
      shapes: plan.cut.shapes
    )
  }

  /// The precision of the model's first linear layer; single for double.
  private func storedPrecision(_ source: CutTensors) throws -> ElementType {
    guard let first = model.linears.first else { return .float32 }
    let stored = try source.existing(first.weight).elementType
    return stored == .float16 || stored == .bfloat16 ? stored : .float32
  }
}
