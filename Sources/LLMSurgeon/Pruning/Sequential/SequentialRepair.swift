import Checkpoint
import Curvature
import LinearAlgebra
import Pruning
import Tensors
import Transformer

/// Repairs a chosen plan layer after layer, in the order in which a token meets them.
///
/// Each layer is repaired for the outputs that it had, from what the repaired layers before it hand
/// on, so it makes up for their errors too; `G` is that of the model before. Two blocks' weights and
/// two hidden states of all windows are in memory.
struct SequentialRepair {
  /// The model as it came, whose files hold what is not pruned.
  let opened: OpenedModel
  /// The model with the weights at which the curvature was measured.
  let model: DecoderModel
  /// The windows that it was measured on.
  let windows: TokenWindows
  /// The solver that chose the plan.
  let solver: PruningRun
  /// What is removed.
  let plan: PruningPlan

  /// Repairs every layer.
  ///
  /// - Parameters:
  ///   - progress: Told of each layer and iteration.
  ///   - receive: Takes the place and the outcome of each layer, in the order of the repairs.
  /// - Throws: What reading the model, computing, the solver, and `receive` throw.
  func repair(
    progress: @escaping ProgressHandler,
    receive: (Int, LayerOutcome) throws -> Void
  ) throws {
    let sequences = try TokenSequences(tokens: windows.tokens, length: windows.length)
    var states = HiddenStates(try model.embed(sequences), length: windows.length)
    for block in 0..<model.decoder.blocks {
      let original = try model.loadBlock(block)
      var repaired = MemoryTensors()
      for group in model.inputGroups where group.block == block {
        let current = try opened.loadBlock(block, with: repaired)
        var inputs: DriftedInputs?
        for index in group.linears {
          let outcome = try solver.repair(plan, layer: index, progress: progress) {
            let read =
              try inputs ?? states.inputs(of: group, original: original, current: current)
            inputs = read
            return read
          }
          try repaired.set(model.linears[index], outcome.weights)
          try receive(index, outcome)
        }
      }
      guard block + 1 < model.decoder.blocks else { break }
      states.pass(original: original, current: try opened.loadBlock(block, with: repaired))
    }
  }
}

/// The hidden states of all windows in two models, at the same block.
private struct HiddenStates {
  /// In the model before.
  private var original: Matrix<Float>
  /// In the pruned model.
  private var current: Matrix<Float>
  private let length: Int
  private var workspace = BlockWorkspace()

  /// Where both models begin.
  init(_ embedded: Matrix<Float>, length: Int) {
    original = embedded
    current = embedded
    self.length = length
  }

  /// Takes each through its block.
  mutating func pass(original before: DecoderBlock, current after: DecoderBlock) {
    before.forward(&original, length: length, in: &workspace)
    after.forward(&current, length: length, in: &workspace)
  }

  /// What a group of layers reads in the pruned model, and how far that is from what it read.
  mutating func inputs(
    of group: InputGroup,
    original before: DecoderBlock,
    current after: DecoderBlock
  ) throws -> DriftedInputs {
    var now = SecondMoment(width: group.inputs, appendsOne: group.hasBias)
    var drift = DriftMoment(width: group.inputs, appendsOne: group.hasBias)
    for rows in DecoderBlock.batchRanges(rows: original.rows, length: length) {
      let old = shown(group, by: before, original, rows)
      let new = shown(group, by: after, current, rows)
      now.add(new)
      for (old, new) in zip(old, new) { drift.add(original: old, current: new) }
    }
    let inputs = DriftedInputs(activations: try now.mean(), drift: try drift.mean())
    guard inputs.activations.isFinite, inputs.drift.isFinite else {
      throw JobError.notFinite("the input of \(group.name) in the pruned model")
    }
    return inputs
  }

  /// What a group of layers reads of a batch, in pieces.
  private mutating func shown(
    _ group: InputGroup,
    by block: DecoderBlock,
    _ hidden: Matrix<Float>,
    _ rows: Range<Int>
  ) -> [Matrix<Float>] {
    let batch = BlockInput(hidden.selecting(rows: rows), length: length)
    var seen = GroupInputs(group.name)
    block.showInputs(batch, in: &workspace, to: &seen)
    return seen.pieces
  }
}

extension OpenedModel {
  /// A block with new weights in front, rounded as the checkpoint will hold them.
  func loadBlock(_ block: Int, with newer: MemoryTensors) throws -> DecoderBlock {
    let source = OverlayTensors(base: directory.tensors, front: newer, isRounded: true)
    return try model(with: source).loadBlock(block)
  }
}

extension MemoryTensors {
  /// Adds the new weights of a layer, single precision.
  mutating func set(_ linear: LinearDescription, _ weights: Matrix<Float>) throws {
    for tensor in linear.tensors(of: weights) {
      let description = TensorDescription(elementType: .float32, shape: tensor.shape)
      try set(tensor.name, description, floats: tensor.values)
    }
  }
}
