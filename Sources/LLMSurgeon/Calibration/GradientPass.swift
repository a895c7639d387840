import Foundation
import LinearAlgebra
import Report
import Transformer

/// Sees each block of a model while the gradient of the loss goes back through it.
protocol GradientVisitor {
  /// Takes the gradient of one batch through a block, and keeps what it is there for.
  ///
  /// - Parameters:
  ///   - batch: The block, and what went into it.
  ///   - gradient: `∂loss/∂output`, shape `[tokens, hidden]`; becomes `∂loss/∂input`.
  ///   - workspace: Memory that serves one call after another.
  /// - Throws: What the visitor is there for may fail by.
  mutating func visit(
    _ batch: GradientPass.Batch,
    gradient: inout Matrix<Float>,
    in workspace: inout BlockWorkspace
  ) throws

  /// Called after the last batch of a block.
  mutating func finish(block: Int) throws
}

/// The loss on some windows and its gradient, block by block: forward with each block's input kept,
/// then backward past a visitor.
///
/// Windows go through a block in batches, and what is kept of them lies in memory or in a scratch
/// file, so that memory does not grow with the number of windows or blocks. Where a folder for it is
/// given, the gradient that goes on to the block below is written after each block: a run that was
/// interrupted continues at that block, repeats the forward pass up to there, which gives the same
/// numbers, and goes on as if nothing had happened.
struct GradientPass {
  /// The model.
  let model: DecoderModel
  /// What of it runs.
  let mask: DepthMask
  /// The windows.
  let windows: TokenWindows
  /// Where the labels come from.
  let labels: Transformer.LabelSource
  /// What may be kept in memory.
  let memory: CalibrationMemory
  /// What it is for, on the progress line.
  let name: String
  /// Where the scratch file goes unless `memory` says.
  let scratch: URL
  /// Where the state of an unfinished run goes; nil if it is not kept.
  let state: URL?

  /// One batch of windows at a block.
  struct Batch {
    /// The block; what of it does not run is passed by.
    let block: DecoderBlock
    /// The block's input in the forward pass, whole windows; shape `[tokens, hidden]`.
    let input: Matrix<Float>
    /// The tokens of a window.
    let length: Int
    fileprivate let number: Int
    fileprivate let inputs: ActivationStore

    /// The same tokens before a block that comes earlier.
    func input(ofBlock earlier: Int) throws -> Matrix<Float> {
      precondition(earlier < block.index, "a block below")
      return try inputs.batch(number, plane: earlier)
    }
  }

  /// Runs to the end, from the start or from where an earlier run stopped.
  ///
  /// - Parameters:
  ///   - visitor: Sees the blocks of which something runs, from the last one down.
  ///   - progress: Hears of each block.
  /// - Returns: The mean cross entropy on the windows, in nats per predicted token.
  /// - Throws: What reading the model, computing, and the visitor throw.
  func run(
    _ visitor: inout some GradientVisitor,
    progress: any ProgressListener
  ) throws -> Double {
    let directory = try scratchDirectory(progress: progress)
    var kept = Kept(
      inputs: try store(planes: 0, nil),
      gradient: try store(planes: 1, directory)
    )
    let file = state.map {
      CalibrationStateFile(folder: $0, shape: kept.gradient.shape, blocks: mask.count)
    }
    let saved = try file?.load(into: &kept.gradient)
    if let saved { progress.note("continuing an unfinished calibration at block \(saved.block)") }
    let top = saved?.block ?? mask.count - 1
    kept.inputs = try store(planes: top + 1, directory)
    var workspace = BlockWorkspace()
    if top >= 0 {
      try embed(&kept)
      try forward(&kept, needsOutput: saved == nil, in: &workspace, progress: progress)
    }
    var place = try saved ?? CalibrationState(block: top, loss: differentiateHead(&kept))
    progress.begin("\(name), backward", total: mask.count, unit: "blocks")
    defer { progress.end() }
    while place.block >= 0 {
      progress.advance(to: mask.count - 1 - place.block)
      try backward(place.block, &kept, past: &visitor, in: &workspace)
      place.block -= 1
      try file?.save(place, kept.gradient)
    }
    progress.advance(to: mask.count)
    return place.loss
  }
}

extension GradientPass {
  /// What lies between the passes.
  private struct Kept {
    /// The inputs of the blocks, a plane for each.
    var inputs: ActivationStore
    /// `∂loss/∂(output of the next block)` in plane 0; before that is known, the last block's output.
    var gradient: ActivationStore
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

  /// Where the scratch files go; nil if all fits in memory.
  private func scratchDirectory(progress: any ProgressListener) throws -> String? {
    let footprint = CalibrationFootprint(
      of: model,
      samples: windows.count,
      length: windows.length,
      precision: memory.precision
    )
    guard try footprint.needsScratch(limit: memory.bytes) else { return nil }
    let directory = memory.scratch ?? scratch
    let size = Quantity.bytes(wholeNumber(footprint.kept))
    progress.note("keeping \(size) of hidden states in \(directory.relativePath)")
    return directory.path
  }

  private func sequences(_ batch: Range<Int>) throws -> TokenSequences {
    try TokenSequences(tokens: Array(windows.tokens[batch]), length: windows.length)
  }

  private func embed(_ kept: inout Kept) throws {
    let embedding = try TokenEmbedding(model, length: windows.length)
    for (batch, rows) in batches.enumerated() {
      try kept.inputs.keep(embedding.embed(sequences(rows)), plane: 0, batch: batch)
    }
  }

  /// Runs the blocks forward and keeps their inputs.
  private func forward(
    _ kept: inout Kept,
    needsOutput: Bool,
    in workspace: inout BlockWorkspace,
    progress: any ProgressListener
  ) throws {
    let top = kept.inputs.shape.planes - 1
    progress.begin("\(name), forward", total: top + 1, unit: "blocks")
    defer { progress.end() }
    for index in 0..<(needsOutput ? top + 1 : top) {
      let block = mask[index].isEmpty ? nil : try model.loadBlock(index).only(mask[index])
      for batch in batches.indices {
        var hidden = try kept.inputs.batch(batch, plane: index)
        block?.forward(&hidden, length: windows.length, in: &workspace)
        if index < top {
          try kept.inputs.keep(hidden, plane: index + 1, batch: batch)
        } else {
          try kept.gradient.keep(hidden, plane: 0, batch: batch)
        }
      }
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
        firstSequence: rows.lowerBound / windows.length
      )
      try kept.gradient.keep(gradient, plane: 0, batch: batch)
    }
    return losses.reduce(0, +) / Double(losses.count)
  }

  /// Goes back through a block; one of which nothing runs hands the gradient on.
  private func backward(
    _ index: Int,
    _ kept: inout Kept,
    past visitor: inout some GradientVisitor,
    in workspace: inout BlockWorkspace
  ) throws {
    guard !mask[index].isEmpty else { return }
    let block = try model.loadBlock(index).only(mask[index])
    for number in batches.indices {
      let input = try kept.inputs.take(number, plane: index)
      let batch = Batch(
        block: block,
        input: input,
        length: windows.length,
        number: number,
        inputs: kept.inputs
      )
      var gradient = try kept.gradient.take(number, plane: 0)
      try visitor.visit(batch, gradient: &gradient, in: &workspace)
      try kept.gradient.keep(gradient, plane: 0, batch: number)
    }
    try visitor.finish(block: index)
  }
}
