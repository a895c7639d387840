import Foundation
import LinearAlgebra
import Safetensors
import Transformer

/// One calibration: the factors of each block are written as soon as they are known.
///
/// A run that was interrupted continues at the block where it stopped and ends with the same bytes.
struct CalibrationRun {
  /// The model, with the weights at which the curvature is measured.
  let model: DecoderModel
  /// The windows to calibrate on.
  let windows: TokenWindows
  /// Where the labels come from.
  let labels: Transformer.LabelSource
  /// What may be kept in memory.
  let memory: CalibrationMemory
  /// Where the files of the blocks go, and the state of an unfinished run.
  let folder: URL

  /// The name of the file with the factors of a block.
  static func fileName(block: Int) -> String {
    let digits = String(block)
    return "block-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
      + ".safetensors"
  }

  /// Runs to the end, from the start or from where an earlier run stopped.
  ///
  /// - Parameter progress: Hears of each block.
  /// - Returns: The mean cross entropy on the windows, in nats per predicted token.
  /// - Throws: What reading the model, computing, and writing throw.
  func finish(progress: any ProgressListener) throws -> Double {
    let pass = GradientPass(
      model: model,
      mask: DepthMask(keepingAll: model.decoder.blocks),
      windows: windows,
      labels: labels,
      memory: memory,
      name: "calibrating",
      scratch: folder,
      state: folder
    )
    var writer = FactorWriter(
      linears: model.linears,
      observer: StatisticsObserver(linears: model.linears),
      folder: folder
    )
    return try pass.run(&writer, progress: progress)
  }

  /// Removes the state of a run that is finished.
  func removeState() { CalibrationStateFile.remove(in: folder) }
}

/// Gathers the factors of a block and writes them.
private struct FactorWriter: GradientVisitor {
  let linears: [LinearDescription]
  var observer: StatisticsObserver
  let folder: URL

  mutating func visit(
    _ batch: GradientPass.Batch,
    gradient: inout Matrix<Float>,
    in workspace: inout BlockWorkspace
  ) throws {
    try batch.block.backward(
      &gradient,
      BlockInput(batch.input, length: batch.length),
      in: &workspace,
      observer: &observer
    )
  }

  mutating func finish(block: Int) throws {
    let factors = folder.appending(path: CalibrationRun.fileName(block: block))
    try SafetensorsWriter.write(observer.tensors(), to: factors.path)
    observer = StatisticsObserver(linears: linears)
  }
}
