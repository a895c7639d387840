public import Export
import Foundation
import Tensors
import Tokenization
import Transformer

/// How the matrices of a GGUF file are stored.
public enum ExportPrecision: String, Sendable, CaseIterable {
  case f32, f16, bf16

  var elementType: ElementType {
    switch self {
    case .f32: .float32
    case .f16: .float16
    case .bf16: .bfloat16
    }
  }
}

/// What can be chosen of a GGUF file.
public struct GGUFSettings: Sendable, Equatable {
  /// How matrices are stored; as in the model if nil.
  public var precision: ExportPrecision?
  /// The architecture.
  public var architecture: ExportArchitecture
  /// Whether the file holds the tokenizer.
  public var includesTokenizer: Bool

  /// Settings; the standard ones unless given.
  public init(
    precision: ExportPrecision? = nil,
    architecture: ExportArchitecture = .automatic,
    includesTokenizer: Bool = true
  ) {
    self.precision = precision
    self.architecture = architecture
    self.includesTokenizer = includesTokenizer
  }
}

/// Writes a model as one GGUF file, without the heads and neurons that contribute nothing.
///
/// - Parameters:
///   - opened: The model.
///   - settings: What the person chose.
///   - output: The file; it appears complete or not at all.
///   - progress: Hears what was chosen, and what llama.cpp does otherwise than the tokenizer.
/// - Throws: An error that says why llama.cpp cannot run the model, or one of files.
func exportGGUF(
  _ opened: OpenedModel,
  _ settings: GGUFSettings,
  to output: URL,
  progress: any ProgressListener
) throws {
  try GGUFExport.check(opened.configuration)
  var export = GGUFExport(
    name: opened.recordedName,
    model: opened.model,
    configuration: opened.configuration,
    cut: try ModelCut(of: opened.model)
  )
  export.architecture = settings.architecture
  export.precision = settings.precision?.elementType
  if settings.includesTokenizer { export.vocabulary = try vocabulary(of: opened) }
  let summary = try write(export, to: output.path)
  progress.note("architecture \(summary.architecture), \(summary.precision.rawValue)")
  for note in export.vocabulary?.notes ?? [] { progress.note(note) }
}

private func write(_ export: GGUFExport, to path: String) throws -> GGUFExport.Summary {
  do {
    return try export.write(to: path)
  } catch let error as TensorError {
    guard case .notFinite(_, _, .float16) = error else { throw error }
    throw JobError.badSetting("\(error); give --precision bf16 or f32")
  }
}

private func vocabulary(of opened: OpenedModel) throws -> GGUFVocabulary {
  let tokenizer: Tokenizer
  do {
    tokenizer = try Tokenizer.load(directory: opened.directoryURL)
  } catch TokenizationError.noTokenizer(let directory) {
    throw JobError.badSetting(
      "\(directory) has no tokenizer; give --no-tokenizer for a file that takes token ids only"
    )
  }
  return try GGUFVocabulary(
    tokenizer,
    of: opened.directory,
    rows: opened.model.decoder.vocabulary
  )
}
