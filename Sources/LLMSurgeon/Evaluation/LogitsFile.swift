import Foundation
import LinearAlgebra
import Safetensors
import Tensors
import Transformer

/// A safetensors file that is to be made for the logits of windows.
struct LogitsFile {
  private let url: URL

  /// Finds out before any work whether the file can be made.
  ///
  /// - Parameter url: Where it will be.
  /// - Throws: ``JobError/unwritable(path:reason:)`` if there is something of that name, which might
  ///   be a model's file, or `FileError` if the folder is missing or cannot be written.
  init(_ url: URL) throws {
    guard !FileManager.default.fileExists(atPath: url.path) else {
      let reason = "it exists; remove it or choose another name"
      throw JobError.unwritable(path: url.relativePath, reason: reason)
    }
    try checkIsNoLink(url)
    // Begins the file under a temporary name, and removes it.
    _ = try OutputFile(url.path)
    self.url = url
  }

  /// Computes the logits of windows and writes them, of which one window's are in memory at a time.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - windows: The tokens.
  ///   - progress: Hears of each window.
  /// - Throws: What the model throws, `TensorError` for a logit that is not finite, or `FileError`;
  ///   then nothing is left.
  func write(
    _ model: DecoderModel,
    _ windows: TokenWindows,
    progress: any ProgressListener
  ) throws {
    progress.begin("writing logits", total: windows.count, unit: "windows")
    defer { progress.end() }
    let shape = [windows.length, model.decoder.vocabulary]
    let one = TensorDescription(elementType: .float32, shape: shape)
    let all = TensorDescription(elementType: .float32, shape: [windows.count] + shape)
    let tensor = SafetensorsWriter.Tensor("logits", all, pieces: windows.count) { index in
      let tokens = try TokenSequences(tokens: Array(windows[index]), length: windows.length)
      let values = try model.logits(tokens).storage
      let bytes = try one.bytes(of: values, name: TensorName("logits of window \(index + 1)"))
      progress.advance(to: index + 1)
      return bytes
    }
    try SafetensorsWriter.write([tensor], to: url.path)
  }
}
