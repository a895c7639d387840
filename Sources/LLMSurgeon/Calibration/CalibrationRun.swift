import Foundation
import LinearAlgebra
import Safetensors
import Tensors
import Transformer

/// One calibration, block by block: forward with each block's input kept, then backward with the
/// factors of each block written as soon as they are known.
///
/// After each block the gradient that goes on to the block below is written too, so a run that was
/// interrupted continues at that block: it repeats the forward pass up to there, which gives the
/// same numbers, and ends with the same bytes.
struct CalibrationRun {
  /// The model, with the weights at which the curvature is measured.
  let model: DecoderModel
  /// The windows to calibrate on.
  let windows: TokenWindows
  /// Where the labels come from.
  let labels: Transformer.LabelSource
  /// Where the files of the blocks go, and the state of an unfinished run.
  let folder: URL

  private static let stateFile = "gradient.safetensors"

  /// The name of the file with the factors of a block.
  static func fileName(block: Int) -> String {
    let digits = String(block)
    return "block-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
      + ".safetensors"
  }

  /// What a run needs to go on: the gradient at the output of the next block.
  private struct State {
    /// The next block to go back through; −1 after the first one.
    var block: Int
    /// `∂loss/∂(output of that block)`, shape `[tokens, hidden]`.
    var gradient: Matrix<Float>
    /// The mean cross entropy, in nats per predicted token.
    var loss: Double
  }

  /// Runs to the end, from the start or from where an earlier run stopped.
  ///
  /// - Parameter progress: Hears of each block.
  /// - Returns: The mean cross entropy on the windows, in nats per predicted token.
  /// - Throws: What reading the model, computing, and writing throw.
  func finish(progress: any ProgressListener) throws -> Double {
    let sequences = try TokenSequences(tokens: windows.tokens, length: windows.length)
    var workspace = BlockWorkspace()
    let saved = try savedState()
    if let saved {
      progress.note("continuing an unfinished calibration at block \(saved.block)")
    }
    let top = saved?.block ?? model.decoder.blocks - 1
    var (inputs, output) = try forward(
      sequences,
      through: top,
      needsOutput: saved == nil,
      in: &workspace,
      progress: progress
    )
    var state = try saved ?? differentiateHead(output, sequences, progress: progress)
    output = Matrix(rows: 0, columns: 0)
    try backward(&state, &inputs, in: &workspace, progress: progress)
    return state.loss
  }

  /// Removes the state of a run that is finished.
  func removeState() {
    try? FileManager.default.removeItem(at: folder.appending(path: Self.stateFile))
  }

  /// Runs the blocks forward and keeps their inputs.
  private func forward(
    _ sequences: TokenSequences,
    through top: Int,
    needsOutput: Bool,
    in workspace: inout BlockWorkspace,
    progress: any ProgressListener
  ) throws -> (inputs: [Matrix<Float>], output: Matrix<Float>) {
    progress.begin("calibrating, forward", total: top + 1, unit: "blocks")
    defer { progress.end() }
    var hidden = try model.embed(sequences)
    var inputs: [Matrix<Float>] = []
    for index in 0...max(0, top) where index <= top {
      inputs.append(hidden)
      if index < top || needsOutput {
        try model.loadBlock(index).forward(
          &hidden,
          length: windows.length,
          in: &workspace
        )
      }
      progress.advance(to: index + 1)
    }
    return (inputs, hidden)
  }

  private func differentiateHead(
    _ output: Matrix<Float>,
    _ sequences: TokenSequences,
    progress: any ProgressListener
  ) throws -> State {
    var gradient = output
    let losses = try model.loadHead().differentiate(&gradient, sequences, labels: labels)
    return State(
      block: model.decoder.blocks - 1,
      gradient: gradient,
      loss: losses.reduce(0, +) / Double(losses.count)
    )
  }

  /// Goes back through the blocks, writing the factors of each.
  private func backward(
    _ state: inout State,
    _ inputs: inout [Matrix<Float>],
    in workspace: inout BlockWorkspace,
    progress: any ProgressListener
  ) throws {
    let blocks = model.decoder.blocks
    progress.begin("calibrating, backward", total: blocks, unit: "blocks")
    defer { progress.end() }
    progress.advance(to: blocks - 1 - state.block)
    while state.block >= 0, let input = inputs.popLast() {
      var observer = StatisticsObserver(linears: model.linears)
      try model.loadBlock(state.block).backward(
        &state.gradient,
        BlockInput(input, length: windows.length),
        in: &workspace,
        observer: &observer
      )
      let tensors = try observer.tensors().map { tensor in
        SafetensorsWriter.Tensor(
          tensor.name,
          TensorDescription(elementType: .float32, shape: [tensor.entries.count]),
          floats: { tensor.entries }
        )
      }
      let file = folder.appending(path: Self.fileName(block: state.block))
      try SafetensorsWriter.write(tensors, to: file.path)
      state.block -= 1
      try save(state)
      progress.advance(to: blocks - 1 - state.block)
    }
  }

  private func save(_ state: State) throws {
    let gradient = state.gradient
    let tensor = SafetensorsWriter.Tensor(
      "gradient",
      TensorDescription(elementType: .float32, shape: [gradient.rows, gradient.columns]),
      floats: { gradient.storage }
    )
    try SafetensorsWriter.write(
      [tensor],
      metadata: ["block": String(state.block), "loss": String(state.loss)],
      to: folder.appending(path: Self.stateFile).path
    )
  }

  private func savedState() throws -> State? {
    let path = folder.appending(path: Self.stateFile).path
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let file = try SafetensorsFile(path: path)
    let rows = windows.tokens.count
    guard let block = file.metadata["block"].flatMap({ Int($0) }),
      -1..<model.decoder.blocks ~= block,
      let loss = file.metadata["loss"].flatMap(Double.init),
      file.description(of: "gradient")?.shape == [rows, model.decoder.hiddenSize]
    else {
      throw JobError.badStatistics(path: folder.relativePath, reason: "its saved state is damaged")
    }
    return State(
      block: block,
      gradient: Matrix(
        rows: rows,
        columns: model.decoder.hiddenSize,
        storage: try file.floats("gradient")
      ),
      loss: loss
    )
  }
}
