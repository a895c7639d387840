import Checkpoint
import Export
public import Foundation
import Report
import Tensors
import Tokenization
import Transformer

/// How the matrices of an exported model are stored.
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

/// Which of llama.cpp's architectures a model is exported as.
public enum ExportArchitecture: String, Sendable, CaseIterable {
  /// The family's own where all blocks have the same sizes, otherwise `deci`.
  case auto
  /// The family's own; all blocks are kept as large as the largest.
  case own
  /// `deci`, where each block has its own sizes.
  case deci

  var choice: GGUFExport.Architecture {
    switch self {
    case .auto: .automatic
    case .own: .own
    case .deci: .deci
    }
  }
}

/// What is exported, and how.
public struct GGUFExportOptions: Sendable {
  /// A directory, or `org/name` in the local Hugging Face cache.
  public var model: String
  /// The file to write.
  public var output: URL
  /// How matrices are stored; as in the model if nil.
  public var precision: ExportPrecision?
  /// The architecture.
  public var architecture = ExportArchitecture.auto
  /// Whether the file holds the tokenizer.
  public var includesTokenizer = true
  /// Whether an existing GGUF file may be replaced.
  public var overwrite = false

  /// The export of a model with the standard choices.
  public init(model: String, output: URL) {
    self.model = model
    self.output = output
  }
}

/// What was exported.
public struct GGUFExportResult: Sendable {
  let output: String
  let summary: GGUFExport.Summary
  /// The parameters of the model before.
  let parametersBefore: Int

  /// A line for the person at the terminal.
  public var text: String {
    let share = 1 - Double(summary.parameters) / Double(max(1, parametersBefore))
    let removed = share > 0 ? ", \(Quantity.percent(share)) fewer than the model" : ""
    return "wrote \(output): architecture \(summary.architecture), "
      + "\(summary.precision.rawValue), \(Quantity.count(summary.parameters)) parameters\(removed)"
  }
}

/// Writes a model as one GGUF file, the format of llama.cpp; heads and neurons that contribute
/// nothing are left out.
///
/// - Parameters:
///   - options: What is exported, and how.
///   - progress: Hears what llama.cpp does otherwise than the model's tokenizer.
/// - Returns: What was written.
/// - Throws: What opening a model throws, ``JobError`` for the output, and an error that says why
///   llama.cpp cannot run the model. Then nothing is left.
public func exportGGUF(
  _ options: GGUFExportOptions,
  progress: any ProgressListener = SilentProgress()
) throws -> GGUFExportResult {
  try checkOutputFile(options.output, beginsWith: "GGUF", overwrite: options.overwrite)
  let opened = try OpenedModel(options.model)
  var export = GGUFExport(
    name: opened.recordedName,
    model: opened.model,
    configuration: opened.configuration,
    cut: try ModelCut(of: opened.model)
  )
  export.architecture = options.architecture.choice
  export.precision = options.precision?.elementType
  if options.includesTokenizer { export.vocabulary = try vocabulary(of: opened) }
  let summary = try write(export, to: options.output.path)
  for note in export.vocabulary?.notes ?? [] { progress.note(note) }
  return GGUFExportResult(
    output: options.output.relativePath,
    summary: summary,
    parametersBefore: opened.parameters
  )
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
