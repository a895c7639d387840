import Foundation
import LinearAlgebra
import Safetensors
import Tensors

/// What an unfinished calibration needs to go on: the gradient at the output of the next block.
struct CalibrationState {
  /// The next block to go back through; −1 after the first one.
  var block: Int
  /// The mean cross entropy, in nats per predicted token.
  var loss: Double
}

/// The file that carries a calibration's state and its gradient, batch by batch.
struct CalibrationStateFile {
  /// The folder of the run.
  let folder: URL
  /// What batches the gradient has.
  let shape: ActivationStore.Shape
  /// The number of blocks of the model.
  let blocks: Int

  private static let name = "gradient.safetensors"
  private var path: String { folder.appending(path: Self.name).path }

  private static func tensor(_ batch: Int) -> TensorName { TensorName("gradient.\(batch)") }

  /// Removes the state of a run that is finished.
  static func remove(in folder: URL) {
    try? FileManager.default.removeItem(at: folder.appending(path: name))
  }

  /// Writes the state.
  ///
  /// - Parameters:
  ///   - state: Where the run is.
  ///   - gradient: The gradient at the output of the next block, in plane 0.
  /// - Throws: What reading the store and writing the file throw; an older state stays then.
  func save(_ state: CalibrationState, _ gradient: ActivationStore) throws {
    let tensors = shape.batches.indices.map { batch in
      SafetensorsWriter.Tensor(
        Self.tensor(batch),
        TensorDescription(
          elementType: .float32,
          shape: [shape.batches[batch].count, shape.width]
        ),
        floats: { try gradient.batch(batch, plane: 0).storage }
      )
    }
    try SafetensorsWriter.write(
      tensors,
      metadata: ["block": String(state.block), "loss": String(state.loss)],
      to: path
    )
  }

  /// Reads the state of an earlier run.
  ///
  /// - Parameter gradient: Receives the gradient in plane 0.
  /// - Returns: Where that run was; nil if there was none.
  /// - Throws: ``JobError/damagedRemains(path:reason:)`` if the file is damaged.
  func load(into gradient: inout ActivationStore) throws -> CalibrationState? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let damaged = JobError.damagedRemains(
      path: folder.relativePath,
      reason: "\(Self.name) is damaged"
    )
    guard let file = try? SafetensorsFile(path: path) else { throw damaged }
    guard let block = file.metadata["block"].flatMap({ Int($0) }), -1..<blocks ~= block,
      let loss = file.metadata["loss"].flatMap(Double.init)
    else { throw damaged }
    for (batch, rows) in shape.batches.enumerated() {
      let name = Self.tensor(batch)
      guard file.description(of: name)?.shape == [rows.count, shape.width] else { throw damaged }
      try gradient.keep(
        Matrix(rows: rows.count, columns: shape.width, storage: try file.floats(name)),
        plane: 0,
        batch: batch
      )
    }
    return CalibrationState(block: block, loss: loss)
  }
}
