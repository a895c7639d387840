import Curvature
import LinearAlgebra

/// Another choice for a complete block, every other weight of the layer held where it is.
struct BlockRechoice: Sendable {
  /// The place of the block: row times blocks per row, plus block.
  let index: Int
  /// The weights to remove, as bits.
  let set: UInt16
  /// By how much the layer's loss falls; damped, nats per token.
  let gain: Double
}

/// Chooses the weights to remove anew in the complete blocks of a repaired layer.
///
/// With everything outside of a block held, the loss is a quadratic function of the block's weights:
/// they would go to `z = x + A_bb⁻¹ p / Gᵣᵣ`, with `p` the block's part of `G (W − X) A`, and
/// removing `S` there costs `½ Gᵣᵣ z_Sᵀ ((A_bb⁻¹)_SS)⁻¹ z_S`.
struct BlockExchange {
  let pattern: BlockPattern
  /// What was removed when the run began and does not come back.
  let initial: LayerMask
  private let tables: [BlockTable]

  /// Prepares the blocks of a layer.
  ///
  /// - Throws: ``PruningError`` if a block of the damped `A` is not positive definite.
  init(
    _ layer: ActiveLayer,
    pattern: BlockPattern,
    initial: LayerMask,
    damping: Damping
  ) throws(PruningError) {
    self.pattern = pattern
    self.initial = initial
    do {
      tables = try layer.heldBlocks(size: pattern.size).map {
        try BlockTable($0, pattern: pattern)
      }
    } catch {
      throw .curvature(
        layer: layer.problem.name,
        .notPositiveDefinite(order: pattern.size, damping: damping.activations)
      )
    }
  }

  /// The blocks whose best choice is not the present one.
  ///
  /// - Parameter repaired: The layer with its present mask and repaired weights.
  /// - Returns: For each such block the best choice, that of the largest gain first.
  func rechoices(_ repaired: BlockCandidate) -> [BlockRechoice] {
    guard !tables.isEmpty else { return [] }
    let view = HeldBlocks(
      candidate: repaired,
      scales: ElementPrices(diagonalsOf: repaired.layer).rows
    )
    let found = concurrentMap(count: repaired.layer.baseRows.count) {
      rechoices(view, rowPlace: $0)
    }
    return found.flatMap(\.self).sorted { ($1.gain, $0.index) < ($0.gain, $1.index) }
  }

  private func rechoices(_ view: HeldBlocks, rowPlace: Int) -> [BlockRechoice] {
    let row = view.candidate.layer.baseRows[rowPlace]
    let mask = view.candidate.layer.plan.mask
    guard mask.keptRows[row], view.scales[row] > 0 else { return [] }
    let (fixed, present) = (initial.keptFlags(row: row), mask.keptFlags(row: row))
    let pulls = view.pulls(rowPlace: rowPlace)
    var search = BlockSearch(pattern: pattern)
    var result: [BlockRechoice] = []
    for block in tables.indices {
      let first = block * pattern.size
      let set = removed(present, from: first)
      guard set.nonzeroBitCount == pattern.removed else { continue }
      search.load(removed: removed(fixed, from: first)) { place in
        let pull = (0..<pattern.size).reduce(0) {
          $0 + tables[block].model.matrix[place, $1] * pulls[first + $1]
        }
        return Double(view.candidate.weights[row, first + place]) + pull / view.scales[row]
      }
      guard let other = search.better(than: set, tables[block]) else { continue }
      result.append(
        BlockRechoice(
          index: row * tables.count + block,
          set: other.set,
          gain: other.gain * view.scales[row]
        )
      )
    }
    return result
  }

  private func removed(_ kept: [Bool], from first: Int) -> UInt16 {
    (0..<pattern.size).reduce(0) { $0 | (kept[first + $1] ? 0 : 1 << UInt16($1)) }
  }

  /// The mask after some re-choices.
  func applying(_ rechoices: some Sequence<BlockRechoice>, to mask: LayerMask) -> LayerMask {
    var result = mask
    for choice in rechoices {
      let (row, block) = choice.index.quotientAndRemainder(dividingBy: tables.count)
      for place in 0..<pattern.size {
        result.set(
          row: row,
          column: block * pattern.size + place,
          isKept: choice.set >> UInt16(place) & 1 == 0
        )
      }
    }
    return result
  }
}

extension LayerPass {
  /// Chooses the complete blocks of a layer anew while that lowers its loss.
  ///
  /// Re-choices that pay one by one may together do too much, since each takes the other blocks for
  /// held. So all of them are tried, repaired and kept if the loss fell; if not, a part of them, those
  /// that gain most.
  ///
  /// - Parameters:
  ///   - pattern: N and M.
  ///   - initial: What was removed when the run began and does not come back.
  /// - Returns: The best choice found.
  /// - Throws: ``PruningError`` if a repair fails.
  func exchangingBlocks(
    _ pattern: BlockPattern,
    initial: LayerMask
  ) throws(PruningError) -> ExchangedBlocks {
    var best = try candidate(layer.plan.mask, from: start)
    let exchange = try BlockExchange(
      layer,
      pattern: pattern,
      initial: initial,
      damping: settings.damping
    )
    var open = exchange.rechoices(best)
    for _ in 0..<settings.exchanges where !open.isEmpty {
      let mask = exchange.applying(open, to: best.layer.plan.mask)
      let next = try candidate(mask, from: best.weights)
      let gain = best.loss - next.loss
      guard gain > 0 else {
        // One alone pays, but for rounding.
        open = open.count == 1 ? [] : Array(open.prefix(max(1, open.count / Self.retreat)))
        continue
      }
      let isSettled = gain <= settings.finalRepair.tolerance * next.loss
      best = next
      open = isSettled ? [] : exchange.rechoices(best)
    }
    return ExchangedBlocks(mask: best.layer.plan.mask, weights: best.weights)
  }

  /// By what the number of re-choices is divided when too many were made.
  private static var retreat: Int { 4 }

  private func candidate(
    _ mask: LayerMask,
    from start: Matrix<Float>?
  ) throws(PruningError) -> BlockCandidate {
    var plan = layer.plan
    plan.mask = mask
    let layer = try ActiveLayer(layer.problem, plan: plan, settings: settings)
    let weights = try layer.maskedOptimum(
      from: start,
      limits: settings.finalRepair,
      progress: progress
    ).weights
    let (loss, pull) = try layer.lossAndPull(at: weights)
    return BlockCandidate(layer: layer, weights: weights, pull: pull, loss: loss)
  }
}

/// A choice of blocks with its repair.
struct BlockCandidate: Sendable {
  /// The layer with the chosen mask.
  let layer: ActiveLayer
  /// The repaired weights.
  let weights: Matrix<Float>
  /// `G (W − X) A` over the rows and columns of the model.
  let pull: Matrix<Float>
  /// The damped loss, nats per token.
  let loss: Double
}

/// A layer as the search of its blocks sees it.
private struct HeldBlocks: Sendable {
  let candidate: BlockCandidate
  /// `Gᵣᵣ`, damped, for each row of the layer.
  let scales: [Double]

  /// The pull of one row, zero for columns outside of the model.
  func pulls(rowPlace: Int) -> [Double] {
    var result = [Double](repeating: 0, count: candidate.layer.width)
    for (place, column) in candidate.layer.baseColumns.enumerated() {
      result[column] = Double(candidate.pull[rowPlace, place])
    }
    return result
  }
}

extension ActiveLayer {
  /// `A_bb⁻¹`, damped, of each block of inputs, all others held.
  fileprivate func heldBlocks(size: Int) throws(CurvatureError) -> [BlockModel] {
    guard let factors else { return [] }
    var next = 0
    var result: [BlockModel] = []
    for block in 0..<problem.mask.inputs / size {
      var columns: [Int] = []
      while next < baseColumns.count, baseColumns[next] < (block + 1) * size {
        columns.append(baseColumns[next])
        next += 1
      }
      let part = try ConditionedFactor(factors.activations, keeping: columns, side: .activations)
      let places = columns.map { $0 - block * size }
      var matrix = Matrix<Double>(rows: size, columns: size)
      matrix.scatter(part.cholesky.inverse(), rows: places, columns: places)
      result.append(
        BlockModel(
          kind: .repaired,
          matrix: matrix,
          alive: places.reduce(0) { $0 | 1 << UInt16($1) }
        )
      )
    }
    return result
  }
}
