import Foundation
import LinearAlgebra
import Safetensors
import Transformer

/// One calibration: the factors of each block are kept as soon as they are known.
///
/// A run that was interrupted continues at the block where it stopped and ends with the same bytes.
struct CalibrationRun {
  /// The model, with the weights at which the curvature is measured.
  let model: DecoderModel
  /// The windows to calibrate on.
  let windows: TokenWindows
  /// The number of the first window, where these are a part of a larger set.
  let firstSequence: Int
  /// Where the labels come from.
  let labels: Transformer.LabelSource
  /// What may be kept in memory.
  let memory: CalibrationMemory
  /// Where the state of an unfinished run lies, and the scratch file unless there is a place for it.
  let folder: URL

  /// The name of the file with the factors of a block.
  static func fileName(block: Int) -> String {
    let digits = String(block)
    return "block-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
      + ".safetensors"
  }

  /// Runs to the end, from the start or from where an earlier run stopped.
  ///
  /// - Parameters:
  ///   - destination: Where the factors go.
  ///   - progress: Hears of each block.
  /// - Returns: The mean cross entropy on the windows, in nats per predicted token.
  /// - Throws: What reading the model, computing, and writing throw.
  func finish(
    writing destination: some FactorDestination,
    progress: any ProgressListener
  ) throws -> Double {
    let pass = GradientPass(
      model: model,
      mask: DepthMask(keepingAll: model.decoder.blocks),
      windows: windows,
      firstSequence: firstSequence,
      labels: labels,
      memory: memory,
      name: "calibrating",
      folder: folder,
      isResumable: true
    )
    var gatherer = FactorGatherer(linears: model.linears, destination: destination)
    return try pass.run(&gatherer, progress: progress)
  }

  /// Removes the state of a run that is finished.
  func removeState() { GradientPass.removeState(in: folder) }
}

/// Gathers the factors of one block after the other.
private struct FactorGatherer<Destination: FactorDestination>: GradientVisitor {
  private let linears: [LinearDescription]
  private var observer: StatisticsObserver
  private var destination: Destination

  init(linears: [LinearDescription], destination: Destination) {
    self.linears = linears
    self.destination = destination
    observer = StatisticsObserver(linears: linears)
  }

  mutating func canContinue(at block: Int?) throws -> Bool {
    try destination.canContinue(at: block)
  }

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
    try destination.keep(observer.tensors(), block: block)
    observer = StatisticsObserver(linears: linears)
  }
}
