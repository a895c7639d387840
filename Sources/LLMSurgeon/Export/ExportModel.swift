import Checkpoint
public import Export
public import Foundation
import Tensors
import Transformer

/// In which format a model is written.
public enum ExportTarget: Sendable, Equatable {
  /// A directory in the layout of Hugging Face; packed weights with or without the entry in
  /// `config.json` that old versions of compressed-tensors want.
  case huggingFace(Profile, hasLegacyConfiguration: Bool)
  /// One GGUF file for llama.cpp.
  case gguf(GGUFSettings)
}

/// What ``export(_:progress:)`` is asked to do.
public struct ExportOptions: Sendable {
  /// A directory, or `org/name` in the local Hugging Face cache.
  public var model: String
  /// The format.
  public var target: ExportTarget
  /// Where the result goes.
  public var output: URL
  /// Whether a former result is replaced.
  public var overwrite: Bool

  /// An export.
  public init(model: String, target: ExportTarget, output: URL, overwrite: Bool = false) {
    self.model = model
    self.target = target
    self.output = output
    self.overwrite = overwrite
  }
}

/// What an export has written.
public struct ExportSummary: Sendable, Equatable {
  /// Where.
  public let output: URL
  /// The size of the weight files that were read, in bytes.
  public let bytesBefore: Int
  /// The size of the weight files that were written, in bytes.
  public let bytesAfter: Int

  /// One line for a person.
  public var text: String {
    let share = bytesBefore == 0 ? 1 : Double(bytesAfter) / Double(bytesBefore)
    return "\(output.relativePath): \(bytesAfter) bytes of weights, "
      + String(format: "%.1f %% of the %ld before", 100 * share, bytesBefore)
  }
}

/// Writes a model, pruned or not, in another format or in other shapes; what it computes stays.
///
/// - Parameters:
///   - options: The model, the format, and where the result goes.
///   - progress: Hears what a person should know of the result.
/// - Returns: What was written.
/// - Throws: ``JobError``, or an error of the model or of files, each one line of text.
public func export(
  _ options: ExportOptions,
  progress: any ProgressListener = SilentProgress()
) throws -> ExportSummary {
  let opened = try OpenedModel(options.model)
  switch options.target {
  case .huggingFace(let profile, let hasLegacyConfiguration):
    try checkOutput(
      options.output,
      mark: ModelDirectory.configurationName,
      overwrite: options.overwrite
    )
    try HuggingFaceExport.check(profile, opened.configuration)
    let export = try HuggingFaceExport(
      opened.exportSource(opened.model, fingerprint: try opened.fingerprint()),
      as: profile,
      hasLegacyEntry: hasLegacyConfiguration,
      changes: try opened.changesForExport()
    )
    try export.write(opened.directory, to: options.output, overwrite: options.overwrite)
    for note in export.notes { progress.note(note) }
    return ExportSummary(
      output: options.output,
      bytesBefore: try weightBytes(opened.directory),
      bytesAfter: try weightBytes(ModelDirectory(options.output.path))
    )
  case .gguf(let settings):
    try checkOutputFile(options.output, beginsWith: "GGUF", overwrite: options.overwrite)
    try exportGGUF(opened, settings, to: options.output, progress: progress)
    return ExportSummary(
      output: options.output,
      bytesBefore: try weightBytes(opened.directory),
      bytesAfter: try byteCount(of: options.output)
    )
  }
}

extension HuggingFaceExport {
  /// Writes the checkpoint, complete or not at all.
  func write(_ directory: ModelDirectory, to output: URL, overwrite: Bool) throws {
    try CheckpointWriter.write(directory, changes, to: output.path, overwrite: overwrite)
  }
}

extension OpenedModel {
  /// The model with given weights, to write in a profile.
  func exportSource(_ model: DecoderModel, fingerprint: String) -> HuggingFaceExport.Source {
    HuggingFaceExport.Source(directory, configuration, model: model, fingerprint: fingerprint)
  }

  /// What changes in every profile: a report goes along, and old spellings are added.
  fileprivate func changesForExport() throws -> CheckpointChanges {
    var changes = CheckpointChanges()
    changes.configuration = .legacyRotary(directory.configuration)
    for name in [PruneReport.fileName, DepthReport.fileName, ChopReport.fileName] {
      let report = directoryURL.appending(path: name)
      guard FileManager.default.fileExists(atPath: report.path) else { continue }
      changes.extraFiles[name] = try readBytes(of: report)
    }
    return changes
  }
}

/// The size of a model's weight files in bytes.
private func weightBytes(_ directory: ModelDirectory) throws -> Int {
  try directory.layout.files.reduce(0) { sum, name in
    try sum + byteCount(of: URL(filePath: directory.path).appending(path: name))
  }
}

/// The size of a file in bytes.
private func byteCount(of file: URL) throws -> Int {
  try MappedFile(file.path).count
}
