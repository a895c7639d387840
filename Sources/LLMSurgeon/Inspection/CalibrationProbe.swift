import Foundation
import LinearAlgebra
import Safetensors
import Transformer

/// Measures how long a calibration takes here, by doing a small part of it on made-up numbers.
///
/// One batch goes forward and backward through the first block and through the head, with the model's
/// own weights; the rest is arithmetic. What the disk takes is not in it.
struct CalibrationProbe {
  /// A probe ends after about so many floating-point operations.
  private static let operations = 4e12

  /// The model.
  let model: DecoderModel
  /// The number of windows of the calibration.
  let samples: Int
  /// The tokens of each.
  let length: Int

  /// The windows that the probe takes: a batch, or fewer if that were too much work.
  private var windows: Int {
    let demand = BlockFootprint(of: model, block: 0)
    let work = demand.operations(tokens: Double(length), length: length)
    let affordable = max(1, min(1024, Self.operations / max(1, work)))
    return min(samples, Int(affordable), DecoderBlock.sequencesPerBatch(length: length))
  }

  /// The time of the calibration, in seconds.
  ///
  /// - Parameter progress: Hears how it goes on.
  /// - Returns: The estimate for a machine that does nothing else.
  /// - Throws: What reading the model and computing throw.
  func seconds(progress: any ProgressListener) throws -> Double {
    progress.begin("measuring this machine", total: 2, unit: "parts")
    defer { progress.end() }
    let parts = Double(samples) / Double(windows)
    let block = try blockSeconds()
    progress.advance(to: 1)
    let head = try headSeconds()
    progress.advance(to: 2)
    let tokens = Double(samples) * Double(length)
    let shapes = (0..<model.decoder.blocks).map { index in
      BlockFootprint(of: model, block: index).operations(tokens: tokens, length: length)
    }
    let relative = shapes.reduce(0) { $0 + $1 / shapes[0] }
    return relative * (block.fixed + parts * block.perBatch) + head.fixed + parts * head.perBatch
  }

  /// What a block takes: for all windows together, and for as many as the probe has.
  private func blockSeconds() throws -> (fixed: Double, perBatch: Double) {
    let clock = ContinuousClock()
    var workspace = BlockWorkspace()
    var loaded: DecoderBlock?
    // A calibration reads each block twice.
    let reading = 2 * (try clock.measure { loaded = try model.loadBlock(0) }).seconds
    guard let block = loaded else { return (reading, 0) }
    var observer = StatisticsObserver(linears: model.linears)
    var hidden = noise()
    // Memory is made in the first round.
    block.forward(&hidden, length: length, in: &workspace)
    hidden = noise()
    let forward = clock.measure { block.forward(&hidden, length: length, in: &workspace) }
    var gradient = noise()
    try block.backward(
      &gradient,
      BlockInput(noise(), length: length),
      in: &workspace,
      observer: &observer
    )
    gradient = noise()
    let backward = try clock.measure {
      try block.backward(
        &gradient,
        BlockInput(noise(), length: length),
        in: &workspace,
        observer: &observer
      )
    }
    let packing = try clock.measure {
      for tensor in observer.tensors() { _ = try tensor.content() }
    }
    return (reading + packing.seconds, (forward + backward).seconds)
  }

  /// What the head takes, likewise.
  private func headSeconds() throws -> (fixed: Double, perBatch: Double) {
    let clock = ContinuousClock()
    var loaded: OutputHead?
    let reading = try clock.measure { loaded = try model.loadHead() }
    guard let head = loaded else { return (reading.seconds, 0) }
    var hidden = noise()
    let tokens = Array(repeating: 0, count: windows * length)
    let sequences = try TokenSequences(tokens: tokens, length: length)
    let passing = try clock.measure {
      _ = try head.differentiate(&hidden, sequences, labels: .text)
    }
    return (reading.seconds, passing.seconds)
  }

  /// Hidden states of the usual size, the same every time.
  private func noise() -> Matrix<Float> {
    let count = windows * length * model.decoder.hiddenSize
    var state: UInt32 = 1
    let numbers = (0..<count).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return Float(Int32(bitPattern: state)) * 0x1p-31
    }
    return Matrix(rows: windows * length, columns: model.decoder.hiddenSize, storage: numbers)
  }
}
