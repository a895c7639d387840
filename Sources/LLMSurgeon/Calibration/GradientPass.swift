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

  /// Called after the last batch of a block; what it keeps is not asked for again.
  mutating func finish(block: Int) throws

  /// Decides, once and before any batch, whether the pass goes on where an earlier one stopped.
  ///
  /// - Parameter block: The next block of the earlier pass; nil if there was none.
  /// - Returns: Whether the saved state counts; if not, the pass begins anew.
  /// - Throws: ``JobError`` if what was kept of later blocks is gone.
  mutating func canContinue(at block: Int?) throws -> Bool
}

extension GradientVisitor {
  /// A visitor that keeps nothing beside the pass goes on wherever that does.
  mutating func canContinue(at block: Int?) throws -> Bool { block != nil }
}

/// The loss on some windows and its gradient, block by block: forward with each block's input kept,
/// then backward past a visitor.
///
/// Windows go through a block in batches, and what is kept of them lies in memory or in a scratch
/// file, so that memory does not grow with the number of windows or blocks. Where the pass is
/// resumable, the gradient that goes on to the block below is written after each block: a pass that was
/// interrupted continues at that block as if nothing had happened. The forward pass continues in the
/// scratch file, if that lies in the folder of the pass; from memory it is repeated, which gives the
/// same numbers.
struct GradientPass {
  /// The model.
  let model: DecoderModel
  /// What of it runs.
  let mask: DepthMask
  /// The windows.
  let windows: TokenWindows
  /// The number of the first window, where these are a part of a larger set.
  var firstSequence = 0
  /// Where the labels come from.
  let labels: Transformer.LabelSource
  /// What may be kept in memory.
  let memory: CalibrationMemory
  /// What it is for, on the progress line.
  let name: String
  /// Where the scratch file goes unless `memory` says, and the state of an unfinished pass.
  let folder: URL
  /// Whether that state is kept.
  let isResumable: Bool

  /// One batch of windows at a block.
  struct Batch {
    /// The block; what of it does not run is passed by.
    let block: DecoderBlock
    /// The block's input in the forward pass, whole windows; shape `[tokens, hidden]`.
    let input: Matrix<Float>
    /// The tokens of a window.
    let length: Int
    /// The number of the batch.
    let number: Int
    /// The inputs of all blocks up to this one.
    let inputs: ActivationStore

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
    let scratch = try scratch(progress: progress)
    // How many blocks' inputs are kept is known when the saved state is.
    var kept = Kept(
      inputs: BlockInputs(store: try store(planes: 0, nil)),
      gradient: try store(planes: 1, scratch?.directory)
    )
    let file = isResumable ? stateFile(kept.gradient.shape) : nil
    var saved = try file?.load(into: &kept.gradient)
    if try !visitor.canContinue(at: saved?.block) { saved = nil }
    if let saved { progress.note("continuing an unfinished calibration at block \(saved.block)") }
    let top = saved?.block ?? mask.count - 1
    kept.inputs = try inputs(planes: top + 1, scratch)
    var workspace = BlockWorkspace()
    if top >= 0 {
      try embed(&kept)
      try forward(&kept, needsOutput: saved == nil, in: &workspace, progress: progress)
    }
    var place = try saved ?? CalibrationState(block: top, loss: differentiateHead(&kept))
    progress.begin("\(name), backward", total: mask.count, unit: "blocks")
    defer { progress.end() }
    progress.resume(at: mask.count - 1 - place.block)
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
