import Curvature
import LinearAlgebra

/// The cheapest completion of each block of a layer to an N:M pattern, block by block and row by row.
///
/// Blocks are consecutive inputs of the whole layer, bias aside, whatever is removed or dead in it.
struct BlockPrices: Sendable {
  /// What the removals are ordered by: the joint cost of the removed, or that over their number.
  var keys: [Float]
  /// The weights to remove, as bits; none in a block that is complete.
  var choices: [UInt16]
}

/// The blocks of one layer with their prices, which are read when they are looked at.
struct PricedBlocks: ChoosableLayer {
  /// The number of weights in a block.
  let blockSize: Int
  /// The number of blocks in a row.
  let blocksPerRow: Int
  /// Whether the keys are costs over the number of weights removed.
  let isPerParameter: Bool
  /// ``BlockPrices/keys`` of all layers.
  let keys: LayerNumbers<Float>
  /// ``BlockPrices/choices`` of all layers.
  let choices: LayerNumbers<UInt16>
  /// Which of the layers.
  let layer: Int

  private var blocksPerPiece: Int { max(1, PricedPiece.weights / blockSize) }

  var pieces: Int { (keys.counts[layer] + blocksPerPiece - 1) / blocksPerPiece }

  func piece(_ index: Int, keeping _: LayerMask) throws -> PricedPiece {
    let first = index * blocksPerPiece
    let range = first..<min(keys.counts[layer], first + blocksPerPiece)
    let sets = try choices.numbers(layer: layer, range)
    var costs = try keys.numbers(layer: layer, range)
    for place in sets.indices where sets[place] == 0 { costs[place] = PricedPiece.nothing }
    return PricedPiece(first: first, costs: costs, sets: sets)
  }

  func remove(_ place: Int, of piece: PricedPiece, from mask: inout LayerMask) -> Double {
    let (row, block) = (piece.first + place).quotientAndRemainder(dividingBy: blocksPerRow)
    for member in members(piece.sets?[place] ?? 0) {
      mask.removeElement(row: row, column: block * blockSize + member)
    }
    return Double(piece.costs[place]) * (isPerParameter ? Double(piece.count(place)) : 1)
  }
}

extension ActiveLayer {
  /// Prices the blocks of the layer.
  ///
  /// - Parameters:
  ///   - current: The weights after the repairs so far; shape `[outputs, inputs (+1)]`.
  ///   - pattern: N and M.
  ///   - settings: The method and the order.
  ///   - conditioned: The factorised kept parts, for the method that repairs.
  /// - Returns: The cheapest completion of each block.
  /// - Throws: ``PruningError`` if a block of `A⁻¹` is not positive definite or a cost not finite.
  func blockPrices(
    _ current: Matrix<Float>,
    pattern: BlockPattern,
    settings: PruningSettings,
    conditioned: ConditionedFactors?
  ) throws(PruningError) -> BlockPrices {
    let count = problem.mask.inputs / pattern.size
    let rows = problem.mask.outputs
    let models = blockModels(pattern, method: settings.method, conditioned: conditioned)
    let tables: [BlockTable]
    do {
      tables = try models.map { try BlockTable($0, pattern: pattern) }
    } catch {
      throw .curvature(
        layer: problem.name,
        .notPositiveDefinite(order: pattern.size, damping: settings.damping.activations)
      )
    }
    let prices = try ElementPrices(self, method: settings.method, conditioned: conditioned).rows
    let isPerParameter = settings.order == .costPerParameter
    var result = BlockPrices(
      keys: [Float](repeating: 0, count: rows * count),
      choices: [UInt16](repeating: 0, count: rows * count)
    )
    guard count > 0 else { return result }
    let mask = plan.mask
    concurrentChunks(
      of: &result.keys,
      size: count,
      and: &result.choices,
      size: count
    ) { row, keys, choices in
      var search = BlockSearch(pattern: pattern)
      let flags = mask.keptFlags(row: row)
      for block in 0..<count {
        search.load(current, flags, row: row, block: block)
        guard let found = search.cheapest(tables[block]) else { continue }
        let number = isPerParameter ? Double(found.set.nonzeroBitCount) : 1
        keys[block] = Float(found.cost * prices[row] / number)
        choices[block] = found.set
      }
    }
    guard result.keys.allSatisfy(\.isFinite) else {
      throw .costNotFinite(layer: problem.name)
    }
    return result
  }

  /// The block of `A⁻¹` or `A` for each block of inputs.
  private func blockModels(
    _ pattern: BlockPattern,
    method: Method,
    conditioned: ConditionedFactors?
  ) -> [BlockModel] {
    let count = problem.mask.inputs / pattern.size
    var places = [Range<Int>](repeating: 0..<0, count: count)
    var next = 0
    for block in 0..<count {
      let start = next
      while next < keptColumns.count, keptColumns[next] < (block + 1) * pattern.size { next += 1 }
      places[block] = start..<next
    }
    let inverses = conditioned?.activations.cholesky.inverseBlocks(places)
    return (0..<count).map { block in
      let columns = keptColumns[places[block]].map { $0 - block * pattern.size }
      let part = inverses?[block] ?? plainBlock(block, columns, pattern: pattern, method: method)
      var matrix = Matrix<Double>(rows: pattern.size, columns: pattern.size)
      matrix.scatter(part, rows: columns, columns: columns)
      return BlockModel(
        kind: inverses == nil ? .plain : .repaired,
        matrix: matrix,
        alive: columns.reduce(0) { $0 | 1 << UInt16($1) }
      )
    }
  }

  private func plainBlock(
    _ block: Int,
    _ columns: [Int],
    pattern: BlockPattern,
    method: Method
  ) -> Matrix<Double> {
    guard method != .magnitude, let factors else { return .identity(columns.count) }
    let indices = columns.map { $0 + block * pattern.size }
    return factors.activations.matrix.selecting(rows: indices, columns: indices).widened()
  }
}
