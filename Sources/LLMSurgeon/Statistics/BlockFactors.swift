import Foundation
import Safetensors
import Tensors

/// The factors that the statistics file of one decoder block holds.
struct BlockFactors {
  /// The name of the file.
  let fileName: String
  /// The tensors, in the order of the file, and the order of each matrix.
  let factors: [(name: TensorName, order: Int)]

  /// The factors of a block.
  ///
  /// - Parameters:
  ///   - layers: The layers of all blocks.
  ///   - block: The number of the block.
  init(_ layers: [StatisticsManifest.Layer], block: Int) {
    fileName = CalibrationRun.fileName(block: block)
    var orders: [TensorName: Int] = [:]
    for layer in layers where layer.block == block {
      orders[TensorName(layer.activationsTensor)] = layer.inputs + (layer.hasBias ? 1 : 0)
      orders[TensorName(layer.gradientsTensor)] = layer.outputs
    }
    factors = orders.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Whether the file is there, complete or not.
  func isThere(in folder: URL) -> Bool {
    FileManager.default.fileExists(atPath: folder.appending(path: fileName).path)
  }

  /// Opens the file and checks that it holds all factors.
  ///
  /// - Parameter folder: The directory of the statistics.
  /// - Returns: The file.
  /// - Throws: ``JobError/badStatistics(path:reason:)`` naming what is missing, or what opening the
  ///   file throws.
  func open(in folder: URL) throws -> SafetensorsFile {
    guard isThere(in: folder) else {
      throw JobError.badStatistics(path: folder.relativePath, reason: "\(fileName) is missing")
    }
    let file = try SafetensorsFile(path: folder.appending(path: fileName).path)
    for (name, order) in factors
    where file.description(of: name) != Self.description(order: order) {
      throw JobError.badStatistics(
        path: folder.relativePath,
        reason: "\(name) in \(fileName) is missing or not a triangle of order \(order)"
      )
    }
    return file
  }

  /// How the triangle of a matrix is stored.
  static func description(order: Int) -> TensorDescription {
    TensorDescription(elementType: .float32, shape: [PackedTriangle.count(order: order)])
  }
}
