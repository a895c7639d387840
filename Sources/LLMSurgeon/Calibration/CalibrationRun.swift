import Foundation
import LinearAlgebra
import Report
import Safetensors
import Tensors
import Transformer

/// One calibration, block by block: forward with each block's input kept, then backward with the
/// factors of each block written as soon as they are known.
///
/// Windows go through a block in batches, and what is kept of them lies in memory or in a scratch
/// file, so that memory does not grow with the number of windows or blocks. After each block the
/// gradient that goes on to the block below is written too: a run that was interrupted continues at
/// that block and ends with the same bytes. The forward pass continues in the scratch file, if that
/// lies in the folder of the run; from memory it is repeated, which gives the same numbers.
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
    var destination = destination
    let scratch = try scratch(progress: progress)
    var gradient = try store(planes: 1, scratch?.directory)
    let file = CalibrationStateFile(
      folder: folder,
      shape: gradient.shape,
      blocks: model.decoder.blocks
    )
    var saved = try file.load(into: &gradient)
    if try !destination.canContinue(at: saved?.block) { saved = nil }
    if let saved {
      progress.note("continuing an unfinished calibration at block \(saved.block)")
    }
    let top = saved?.block ?? model.decoder.blocks - 1
    var kept = try Kept(inputs: inputs(planes: top + 1, scratch), gradient: gradient)
    gradient = try store(planes: 0, nil)
    var workspace = BlockWorkspace()
    if top >= 0 {
      try embed(&kept)
      try forward(&kept, needsOutput: saved == nil, in: &workspace, progress: progress)
    }
    var state = try saved ?? CalibrationState(block: top, loss: differentiateHead(&kept))
    try backward(&state, &kept, in: &workspace, progress: progress) { state, kept, tensors in
      try destination.keep(tensors, block: state.block)
      state.block -= 1
      try file.save(state, kept.gradient)
    }
    return state.loss
  }

  /// Removes the state of a run that is finished.
  func removeState() {
    CalibrationStateFile.remove(in: folder)
    HiddenStateFile(folder: folder).remove()
  }
}

extension CalibrationRun {
  /// What lies between the passes.
  private struct Kept {
    /// The inputs of the blocks, a plane for each.
    var inputs: Inputs
    /// `∂loss/∂(output of the next block)` in plane 0; before that is known, the last block's output.
    var gradient: ActivationStore
  }

  /// The inputs of the blocks.
  private struct Inputs {
    var store: ActivationStore
    /// The planes that are complete, from the first on.
    var complete = 0
    /// The file that outlives an interruption; nil for memory and for files without a name.
    var file: HiddenStateFile?

    /// Notes that the inputs of one more block are complete.
    mutating func finish(_ block: Int) throws {
      complete = block + 1
      guard let file else { return }
      try store.synchronize()
      try file.save(complete)
    }
  }

  /// The rows of the hidden state that go through a block together, whole windows.
  private var batches: [Range<Int>] {
    let rows = windows.tokens.count
    let step = max(1, DecoderBlock.tokensPerBatch / windows.length) * windows.length
    return stride(from: 0, to: rows, by: step).map { $0..<min(rows, $0 + step) }
  }

  private func store(planes: Int, _ directory: String?) throws -> ActivationStore {
    try ActivationStore(
      ActivationStore.Shape(batches: batches, width: model.decoder.hiddenSize, planes: planes),
      precision: memory.precision,
      directory: directory
    )
  }

  /// The inputs of blocks, with what an interrupted run left of them.
  private func inputs(planes: Int, _ scratch: Scratch?) throws -> Inputs {
    guard let scratch, scratch.isOwn else {
      return Inputs(store: try store(planes: planes, scratch?.directory))
    }
    let file = HiddenStateFile(folder: folder)
    let complete = min(planes, file.load())
    let shape = try store(planes: planes, nil).shape
    let byteCount = shape.count * memory.precision.byteCount
    return Inputs(
      store: ActivationStore(
        shape,
        precision: memory.precision,
        file: try ScratchFile(named: file.path, byteCount: byteCount)
      ),
      complete: complete,
      file: file
    )
  }

  /// Where scratch files lie.
  private struct Scratch {
    let directory: String
    /// Whether that is the folder of the run.
    let isOwn: Bool
  }

  /// Where the scratch files go; nil if all fits in memory.
  private func scratch(progress: any ProgressListener) throws -> Scratch? {
    let footprint = CalibrationFootprint(
      of: model,
      samples: windows.count,
      length: windows.length,
      precision: memory.precision
    )
    guard try footprint.needsScratch(limit: memory.bytes) else { return nil }
    let directory = memory.scratch ?? folder
    let size = Quantity.bytes(wholeNumber(footprint.kept))
    progress.note("keeping \(size) of hidden states in \(directory.relativePath)")
    return Scratch(directory: directory.path, isOwn: memory.scratch == nil)
  }

  private func sequences(_ batch: Range<Int>) throws -> TokenSequences {
    try TokenSequences(tokens: Array(windows.tokens[batch]), length: windows.length)
  }

  private func embed(_ kept: inout Kept) throws {
    guard kept.inputs.complete == 0 else { return }
    let embedding = try TokenEmbedding(model, length: windows.length)
    for (batch, rows) in batches.enumerated() {
      try kept.inputs.store.keep(embedding.embed(sequences(rows)), plane: 0, batch: batch)
    }
    try kept.inputs.finish(0)
  }

  /// Runs the blocks forward and keeps their inputs.
  private func forward(
    _ kept: inout Kept,
    needsOutput: Bool,
    in workspace: inout BlockWorkspace,
    progress: any ProgressListener
  ) throws {
    let top = kept.inputs.store.shape.planes - 1
    progress.begin("calibrating, forward", total: top + 1, unit: "blocks")
    defer { progress.end() }
    // The input of this block is complete, that of the next is not.
    for index in kept.inputs.complete - 1..<(needsOutput ? top + 1 : top) {
      let block = try model.loadBlock(index)
      for batch in batches.indices {
        var hidden = try kept.inputs.store.batch(batch, plane: index)
        block.forward(&hidden, length: windows.length, in: &workspace)
        if index < top {
          try kept.inputs.store.keep(hidden, plane: index + 1, batch: batch)
        } else {
          try kept.gradient.keep(hidden, plane: 0, batch: batch)
        }
      }
      if index < top { try kept.inputs.finish(index + 1) }
      progress.advance(to: index + 1)
    }
  }

  /// Replaces the last block's output by the gradient with respect to it.
  ///
  /// - Returns: The mean cross entropy, in nats per predicted token.
  private func differentiateHead(_ kept: inout Kept) throws -> Double {
    let head = try model.loadHead()
    var losses: [Double] = []
    for (batch, rows) in batches.enumerated() {
      var gradient = try kept.gradient.take(batch, plane: 0)
      losses += try head.differentiate(
        &gradient,
        sequences(rows),
        labels: labels,
        firstSequence: firstSequence + rows.lowerBound / windows.length
      )
      try kept.gradient.keep(gradient, plane: 0, batch: batch)
    }
    return losses.reduce(0, +) / Double(losses.count)
  }

  /// Goes back through the blocks; `complete` keeps the factors of each and goes on to the next.
  private func backward(
    _ state: inout CalibrationState,
    _ kept: inout Kept,
    in workspace: inout BlockWorkspace,
    progress: any ProgressListener,
    complete: (inout CalibrationState, Kept, [SafetensorsWriter.Tensor]) throws -> Void
  ) throws {
    let blocks = model.decoder.blocks
    progress.begin("calibrating, backward", total: blocks, unit: "blocks")
    defer { progress.end() }
    progress.advance(to: blocks - 1 - state.block)
    while state.block >= 0 {
      var observer = StatisticsObserver(linears: model.linears)
      let block = try model.loadBlock(state.block)
      for batch in batches.indices {
        let input = try kept.inputs.store.take(batch, plane: state.block)
        var gradient = try kept.gradient.take(batch, plane: 0)
        try block.backward(
          &gradient,
          BlockInput(input, length: windows.length),
          in: &workspace,
          observer: &observer
        )
        try kept.gradient.keep(gradient, plane: 0, batch: batch)
      }
      try complete(&state, kept, observer.tensors())
      progress.advance(to: blocks - 1 - state.block)
    }
  }
}
