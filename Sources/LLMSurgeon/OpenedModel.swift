import Checkpoint
import Foundation
import Tensors
import Transformer

/// A model directory that was found to hold a decoder this program knows.
struct OpenedModel: Sendable {
  /// What the person called it.
  let name: String
  /// Where it was found.
  let location: ModelLocation
  /// Its files.
  let directory: ModelDirectory
  /// What `config.json` says.
  let configuration: ModelConfiguration
  /// The decoder, with the weights of the directory.
  let model: DecoderModel

  /// Where the model lies.
  var directoryURL: URL { URL(filePath: directory.path, directoryHint: .isDirectory) }

  /// The name for reports: `org/name`, or the directory's name without the folders above it, which
  /// differ between machines.
  var recordedName: String {
    location.repository ?? URL(filePath: location.directory).standardizedFileURL.lastPathComponent
  }

  /// The window length when nothing is said: 2048, or what the model takes if that is less.
  var usualLength: Int { min(2048, model.decoder.positions) }

  /// Finds and checks a model.
  ///
  /// - Parameter name: A directory, or `org/name` in the local Hugging Face cache.
  /// - Throws: `CheckpointError` or `ModelError` saying what is missing, damaged or unknown.
  init(_ name: String) throws {
    self.name = name
    location = try ModelLocation.resolve(name)
    directory = try ModelDirectory(location.directory)
    configuration = try ModelConfiguration(config: directory.configuration)
    model = try DecoderModel(configuration: configuration, source: directory.tensors)
  }

  /// The decoder with other weights in front of the directory's.
  func model(with source: any TensorSource) throws -> DecoderModel {
    try DecoderModel(configuration: configuration, source: source)
  }
}

extension WeightLayout {
  /// How the weights are stored, for a person: `safetensors in 2 files`.
  var text: String {
    let name = format == .safetensors ? "safetensors" : "PyTorch archive"
    return files.count == 1 ? name : "\(name) in \(files.count) files"
  }
}
