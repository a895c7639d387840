import Checkpoint
import Foundation
import LinearAlgebra
import Tensors
import TestKit
import Testing
import Transformer

@testable import LLMSurgeon

@Suite("Training between shots")
struct ShotCorrectionTests {
  /// Weights as a shot could leave them: every third one is zero, biases are as they came.
  private func weights(
    of opened: OpenedModel,
    in scratch: ScratchDirectory
  ) throws -> RepairedWeights {
    let source = opened.directory.tensors
    var weights = try RepairedWeights(opened.model.linears, scratch: scratch.path)
    for (layer, linear) in opened.model.linears.enumerated() {
      let values = try source.floats(linear.weight)
      let bias = try source.floats(try #require(linear.bias))
      var matrix = Matrix<Float>(rows: linear.outputs, columns: linear.columns)
      for row in 0..<linear.outputs {
        for column in 0..<linear.inputs where (row + column) % 3 != 0 {
          matrix[row, column] = values[row * linear.inputs + column]
        }
        matrix[row, linear.inputs] = bias[row]
      }
      try weights.keep(matrix, layer: layer)
    }
    return weights
  }

  @Test("matrices are read as the training left them, with their zeros; biases are as before")
  func corrected() throws {
    let (scratch, fixture) = (try ScratchDirectory(), try Fixture("opt"))
    let opened = try OpenedModel(fixture.url.path)
    let before = try weights(of: opened, in: scratch)
    let trained = try ShotCorrection(steps: 2, learningRate: 1e-2, batch: 1).correct(
      try opened.model(
        with: OverlayTensors(base: opened.directory.tensors, front: before, isRounded: false)
      ),
      on: try fixture.input.heldOutWindows(length: nil, of: opened),
      progress: SilentProgress()
    )
    var after = before
    after.correct(by: trained)
    #expect(after.names == before.names)
    // This kind of adapter computes in training with the matrix that is written.
    var inTraining = trained
    inTraining.isMerged = false
    for linear in opened.model.linears {
      let (old, new) = (try before.floats(linear.weight), try after.floats(linear.weight))
      #expect(try new == inTraining.floats(linear.weight), "\(linear.name)")
      #expect(new != old, "\(linear.name)")
      #expect(new.map { $0 == 0 } == old.map { $0 == 0 }, "\(linear.name)")
      let bias = try #require(linear.bias)
      #expect(try after.floats(bias) == before.floats(bias), "\(linear.name)")
    }
  }
}
