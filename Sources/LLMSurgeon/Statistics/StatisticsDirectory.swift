import Curvature
import Foundation
import LinearAlgebra
import Safetensors
import Tensors
import Transformer

/// Statistics on disk: the factors of each layer are read when they are asked for, and no file stays
/// mapped.
struct StatisticsDirectory: Sendable {
  /// What the directory says of itself.
  let manifest: StatisticsManifest
  private let folder: URL

  /// Opens a finished statistics directory.
  ///
  /// - Parameter folder: The directory.
  /// - Throws: ``JobError/badStatistics(path:reason:)``, or what opening its files throws.
  init(_ folder: URL) throws {
    manifest = try StatisticsManifest(directory: folder)
    self.folder = folder
    for block in manifest.blocks.indices { _ = try file(block: block) }
  }

  private func file(block: Int) throws -> SafetensorsFile {
    try SafetensorsFile(path: folder.appending(path: CalibrationRun.fileName(block: block)).path)
  }

  /// Refuses statistics of another model, and those of a part of the windows.
  ///
  /// - Parameters:
  ///   - model: The model that is to be pruned.
  ///   - fingerprint: The hash of its configuration and weights.
  /// - Throws: ``JobError/foreignStatistics(path:reason:)``, or ``JobError/loneShard(path:_:)`` if
  ///   they are only a part.
  func check(_ model: DecoderModel, fingerprint: String) throws {
    func foreign(_ reason: String) -> JobError {
      .foreignStatistics(path: folder.relativePath, reason: reason)
    }
    if let shard = manifest.shard?.shard {
      throw JobError.loneShard(path: folder.relativePath, shard)
    }
    guard manifest.layers.count == model.linears.count else {
      throw foreign("it has \(manifest.layers.count) layers, this one \(model.linears.count)")
    }
    for (layer, linear) in zip(manifest.layers, model.linears)
    where layer.name != linear.name || layer.outputs != linear.outputs
      || layer.inputs != linear.inputs || layer.hasBias != linear.hasBias
      || layer.block != linear.block
    {
      throw foreign("its \(layer.name) is \(layer.outputs)×\(layer.inputs)")
    }
    guard manifest.modelFingerprint == fingerprint else {
      throw foreign("its weights or configuration have another fingerprint")
    }
  }

  /// The factors of a layer.
  ///
  /// - Parameter index: The layer's position among the model's layers.
  /// - Returns: `A` and `G`.
  /// - Throws: ``JobError/badStatistics(path:reason:)`` if they are missing or misshapen, or
  ///   `CurvatureError` if they cannot be a curvature.
  func factors(of index: Int) throws -> KroneckerFactors {
    let layer = manifest.layers[index]
    return try KroneckerFactors(
      activations: triangle(
        layer.activationsTensor,
        order: layer.inputs + (layer.hasBias ? 1 : 0),
        block: layer.block
      ),
      gradients: triangle(layer.gradientsTensor, order: layer.outputs, block: layer.block)
    )
  }

  /// The windows that were calibrated on: losses are measured on them, and the sequential repair
  /// runs the pruned model on them.
  ///
  /// - Throws: ``JobError/badStatistics(path:reason:)`` if they are missing or others.
  func windows() throws -> TokenWindows { try manifest.windows(in: folder) }

  private func triangle(_ name: String, order: Int, block: Int) throws -> Matrix<Float> {
    let tensor = TensorName(name)
    let expected = PackedTriangle.count(order: order)
    let file = try file(block: block)
    guard let found = file.description(of: tensor), found.shape == [expected] else {
      throw JobError.badStatistics(
        path: folder.relativePath,
        reason: "\(name) is missing or not a triangle of order \(order)"
      )
    }
    return Matrix(lowerTriangle: try file.floats(tensor), order: order)
  }
}

extension StatisticsManifest {
  /// The windows that statistics were measured on.
  ///
  /// - Parameter folder: Their directory.
  /// - Returns: The windows.
  /// - Throws: ``JobError/badStatistics(path:reason:)`` if they are missing or others.
  func windows(in folder: URL) throws -> TokenWindows {
    let file = Self.tokensFile
    let path = folder.appending(path: file).path
    guard FileManager.default.fileExists(atPath: path) else {
      throw JobError.badStatistics(
        path: folder.relativePath,
        reason: "\(file), the windows that it was calibrated on, is missing"
      )
    }
    let otherTokens = JobError.badStatistics(
      path: folder.relativePath,
      reason: "\(file) holds other tokens than the manifest says"
    )
    let tokens = try SafetensorsFile(path: path).integers("tokens")
    guard tokens.count == positions else { throw otherTokens }
    let windows = TokenWindows(
      tokens: tokens,
      length: length,
      starts: starts,
      source: dataSource
    )
    guard windows.fingerprint == dataFingerprint else { throw otherTokens }
    return windows
  }
}
