import Depth
import Foundation
import LinearAlgebra
import Transformer

/// Gathers, on the way back through a model, what the predicted rises of its units need.
///
/// Tokens count alike, but for the first of each window, whose state is unlike all others. Memory is
/// two blocks and the sums of one block's units.
struct DepthCurvature: GradientVisitor {
  private let model: DecoderModel
  private let mask: DepthMask
  private let units: [DepthUnit]
  /// The sums of the units of the block that is being visited, by the place of a unit.
  private var sums: [Int: RemovalSums] = [:]
  /// The block of the part before the visited one, where it is another.
  private var anchorBlock: DecoderBlock?
  /// The predicted rise without each unit, in nats per token; zero for those of which nothing runs.
  private(set) var rises: [Double]

  /// Nothing seen yet.
  ///
  /// - Parameters:
  ///   - units: The units.
  ///   - model: The whole model.
  ///   - mask: What runs of it.
  init(_ units: [DepthUnit], of model: DecoderModel, under mask: DepthMask) {
    self.model = model
    self.mask = mask
    self.units = units
    rises = [Double](repeating: 0, count: units.count)
  }

  mutating func visit(
    _ batch: GradientPass.Batch,
    gradient: inout Matrix<Float>,
    in workspace: inout BlockWorkspace
  ) throws {
    let block = batch.block
    if sums.isEmpty { try begin(block.index) }
    let runs = mask[block.index]
    let middle = runs.contains(.attention) ? batch.after(.attention, in: &workspace) : batch.input
    let before = try beforeAnchor(of: batch, in: &workspace)
    let own = Surroundings(before: before, state: batch.input)
    if runs.contains(.feedForward) {
      let output = batch.after(.feedForward, of: middle, in: &workspace)
      let inner = runs.contains(.attention) ? Surroundings(before: batch.input, state: middle) : own
      add(.feedForward, inner, output, gradient, length: batch.length)
      add(.blocks, own, output, gradient, length: batch.length)
      try block.only(.feedForward).propagate(&gradient, middle, batch.length, in: &workspace)
    } else {
      add(.blocks, own, middle, gradient, length: batch.length)
    }
    guard runs.contains(.attention) else { return }
    add(.attention, own, middle, gradient, length: batch.length)
    try block.only(.attention).propagate(&gradient, batch.input, batch.length, in: &workspace)
  }

  mutating func finish(block: Int) throws {
    for (place, sum) in sums { rises[place] = try sum.predictedRise() }
    sums = [:]
    anchorBlock = nil
  }

  /// What a unit stands behind.
  private struct Surroundings {
    /// The state before the part that runs before the unit; nil where there is none.
    let before: Matrix<Float>?
    /// The state before the unit.
    let state: Matrix<Float>
  }

  /// The last part that runs before a block.
  private func anchor(before block: Int) -> (block: Int, part: BlockParts)? {
    (0..<block).last { !mask[$0].isEmpty }.map {
      ($0, mask[$0].contains(.feedForward) ? .feedForward : .attention)
    }
  }

  /// Prepares for the units of a block.
  private mutating func begin(_ block: Int) throws {
    let before = anchor(before: block)
    anchorBlock = try before.map { try model.loadBlock($0.block) }
    let width = model.decoder.hiddenSize
    for (place, unit) in units.enumerated() where unit.block == block && mask.runs(unit) {
      let isInner = unit.kind == .feedForward && mask[block].contains(.attention)
      let part = isInner ? (block: block, part: .attention) : before
      let linears = part.map { model.linears(of: $0.part, block: $0.block) } ?? []
      sums[place] = RemovalSums(
        width: width,
        hasRepair: part != nil,
        hasBias: linears.last { $0.role.closesPart }?.hasBias ?? false
      )
    }
  }

  /// The state before the last part that runs before a block.
  private func beforeAnchor(
    of batch: GradientPass.Batch,
    in workspace: inout BlockWorkspace
  ) throws -> Matrix<Float>? {
    guard let anchor = anchor(before: batch.block.index), let anchorBlock else { return nil }
    var state = try batch.input(ofBlock: anchor.block)
    if anchor.part == .feedForward, mask[anchor.block].contains(.attention) {
      anchorBlock.only(.attention).forward(&state, length: batch.length, in: &workspace)
    }
    return state
  }

  private mutating func add(
    _ kind: DepthKind,
    _ surroundings: Surroundings,
    _ after: Matrix<Float>,
    _ gradient: Matrix<Float>,
    length: Int
  ) {
    for place in sums.keys.sorted() where units[place].kind == kind {
      let inputs = surroundings.before.map { surroundings.state.less($0).droppingFirst(of: length) }
      sums[place]?.add(
        inputs: inputs,
        updates: after.less(surroundings.state).droppingFirst(of: length),
        gradients: gradient.droppingFirst(of: length)
      )
    }
  }
}

extension DepthEvaluator {
  /// The predicted rise of the loss without each unit, in nats per token, when the best linear map of
  /// what the part before it adds makes up for it.
  ///
  /// - Parameters:
  ///   - units: The units.
  ///   - mask: What runs beside them.
  ///   - progress: Hears of each block.
  /// - Returns: The rise for each unit.
  /// - Throws: `ModelError` if weights cannot be read or a gradient is not finite, or `DepthError`.
  func curvature(
    of units: [DepthUnit],
    under mask: DepthMask,
    progress: any ProgressListener
  ) throws -> [Double] {
    let pass = GradientPass(
      model: model,
      mask: mask,
      windows: windows,
      labels: .text,
      memory: CalibrationMemory(),
      name: "scoring, curvature",
      folder: .temporaryDirectory,
      isResumable: false
    )
    var visitor = DepthCurvature(units, of: model, under: mask)
    _ = try pass.run(&visitor, progress: progress)
    return visitor.rises
  }
}

extension GradientPass.Batch {
  /// The state behind a part of the block.
  fileprivate func after(
    _ part: BlockParts,
    of state: Matrix<Float>? = nil,
    in workspace: inout BlockWorkspace
  ) -> Matrix<Float> {
    var state = state ?? input
    block.only(part).forward(&state, length: length, in: &workspace)
    return state
  }
}

extension DecoderBlock {
  /// Takes a gradient back through what of the block runs.
  fileprivate func propagate(
    _ gradient: inout Matrix<Float>,
    _ input: Matrix<Float>,
    _ length: Int,
    in workspace: inout BlockWorkspace
  ) throws {
    var observer = NothingObserver()
    try backward(
      &gradient,
      BlockInput(input, length: length),
      in: &workspace,
      observer: &observer
    )
  }
}

/// Keeps nothing.
private struct NothingObserver: LinearObserver {
  mutating func observe(_ traffic: [LinearTraffic]) {}
}

extension Matrix<Float> {
  /// The rows without the first of each window.
  fileprivate func droppingFirst(of length: Int) -> Matrix<Float> {
    selecting(
      rows: (0..<rows).filter { $0 % length != 0 },
      columns: Array(0..<columns)
    )
  }
}
