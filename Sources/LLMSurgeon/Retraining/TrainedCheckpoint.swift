import Checkpoint
import Export
import Foundation
import Safetensors
import Tensors
import Transformer

extension OpenedModel {
  /// Writes the model with values that were trained.
  ///
  /// - Parameters:
  ///   - model: The model with the values to write.
  ///   - setup: What was added to the model.
  ///   - files: Reports that go beside the weights.
  ///   - output: The directory, and whether a former one is replaced.
  ///   - progress: Hears what a person should know of the result.
  /// - Throws: What writing throws; then nothing is left.
  func write(
    _ model: DecoderModel,
    _ setup: RetrainSetup,
    files: [String: [UInt8]],
    to output: (url: URL, overwrite: Bool),
    progress: any ProgressListener
  ) throws {
    var changes = CheckpointChanges()
    changes.configuration = .legacyRotary(directory.configuration)
    changes.configuration.append(setup.extension.patch)
    changes.extraFiles = files
    let former = directoryURL.appending(path: PruneReport.fileName)
    if FileManager.default.fileExists(atPath: former.path) {
      changes.extraFiles[PruneReport.fileName] = try readBytes(of: former)
    }
    for (host, added) in setup.extension.addedBeside {
      changes.substitutes[host] = try ([host] + added.map(\.0)).map { name in
        let description = try model.source.existing(name)
        return SafetensorsWriter.Tensor(name, description) { try model.source.bytes(name) }
      }
    }
    let source = model.source
    changes.replacement = { try source.floats($0) }
    let export = try HuggingFaceExport(
      exportSource(model, fingerprint: setup.fingerprint),
      as: .masked,
      changes: changes
    )
    try export.write(directory, to: output.url, overwrite: output.overwrite)
    for note in export.notes { progress.note(note) }
  }
}
