import Curvature
import LinearAlgebra

/// SparseGPT (Frantar and Alistarh, 2023): one sweep over the columns that removes weights and
/// moves those of later columns to make up for it.
///
/// With `H = A + λ mean(diag A) I` and `Uᵀ U = H⁻¹`, `U` upper triangular, a removed weight `w` of
/// column `j` leaves `e = w / U_jj`, and every later column `k` loses `e U_jk`. What is removed is
/// decided for a block of columns when the sweep reaches it, by `w² / U_jj²` over all rows.
package struct SparseGPT: Sendable {
  private let problem: LayerwiseProblem
  /// `U`, shape `[inputs, inputs]`.
  ///
  /// The row and column of a dead input are those of the identity.
  private let root: Matrix<Float>
  private let timesDampingRaised: Int

  /// The most columns of a block, as published.
  private static let mostColumns = 128

  /// Factorises the inverse.
  ///
  /// - Parameters:
  ///   - problem: The layer.
  ///   - damping: `λ`; the published value is 0.01.
  /// - Throws: ``PruningError`` if `A` has no inverse even with more damping.
  package init(_ problem: LayerwiseProblem, damping: Double) throws(PruningError) {
    self.problem = problem
    let order = problem.moment.rows
    let alive = (0..<order).filter { problem.moment[$0, $0] > 0 }
    let inverse: Matrix<Double>
    do {
      let conditioned = try ConditionedFactor(
        DampedFactor(problem.moment, alive: alive, share: damping, scale: .mean),
        keeping: alive,
        side: .activations
      )
      timesDampingRaised = conditioned.timesRaised
      inverse = conditioned.cholesky.inverse()
    } catch {
      throw .curvature(layer: problem.name, error)
    }
    do {
      let factor = try Cholesky(inverse).factor.transposed().narrowed()
      var root = Matrix<Double>.identity(order).narrowed()
      root.scatter(factor, rows: alive, columns: alive)
      self.root = root
    } catch {
      throw .curvature(
        layer: problem.name,
        .notPositiveDefinite(order: alive.count, damping: damping)
      )
    }
  }

  /// Sweeps over the columns.
  ///
  /// - Parameter target: How much to remove; of a share, each block of columns loses the same.
  /// - Returns: The new weights; inputs that are always zero lose theirs.
  /// - Throws: ``PruningError/repairNotFinite(layer:)``.
  package func solve(_ target: LayerwiseTarget) throws(PruningError) -> LayerwiseSolution {
    let (rows, inputs) = (problem.weights.rows, problem.weights.columns)
    let isFed = problem.meanSquares.map { $0 > 0 }
    var result = Matrix<Float>(rows: rows, columns: inputs)
    var errors = result
    var support = result
    for start in stride(from: 0, to: inputs, by: Self.blockWidth(target)) {
      let columns = start..<min(inputs, start + Self.blockWidth(target))
      var block = ColumnBlock(
        weights: problem.weights.copyColumns(columns),
        initial: problem.initial.copyColumns(columns),
        root: root.selecting(rows: Array(columns), columns: Array(columns))
      )
      block.clear(columns: columns.indices.filter { !isFed[$0] }.map { $0 - start })
      subtractErrors(errors, of: start, from: &block.weights)
      block.choose(target, inColumns: columns)
      block.sweep(target)
      result.replaceColumns(columns, with: block.weights.masked(by: block.support))
      errors.replaceColumns(columns, with: block.errors)
      support.replaceColumns(columns, with: block.support)
    }
    guard result.isFinite else { throw .repairNotFinite(layer: problem.name) }
    return LayerwiseSolution(
      weights: result,
      support: support,
      timesDampingRaised: timesDampingRaised
    )
  }

  /// The columns of a block: no group of an N:M pattern is cut in two.
  private static func blockWidth(_ target: LayerwiseTarget) -> Int {
    guard case .pattern(_, let size) = target else { return mostColumns }
    return mostColumns / size * size
  }

  /// Brings a block up to date: `W_block −= E U`, over the columns before it.
  private func subtractErrors(
    _ errors: Matrix<Float>,
    of start: Int,
    from block: inout Matrix<Float>
  ) {
    guard start > 0, block.rows > 0 else { return }
    let before = MatrixView(
      errors.elements,
      rows: errors.rows,
      columns: start,
      stride: errors.columns
    )
    let coupling = MatrixView(
      root.elements.extracting(start..<root.storage.count),
      rows: start,
      columns: block.columns,
      stride: root.columns
    )
    multiplyTiled(before, coupling, scale: -1, keeping: 1, into: &block)
  }
}

extension Matrix<Float> {
  /// Some consecutive columns.
  fileprivate func copyColumns(_ range: Range<Int>) -> Matrix<Float> {
    selecting(rows: Array(0..<rows), columns: Array(range))
  }

  /// Replaces some consecutive columns.
  fileprivate mutating func replaceColumns(_ range: Range<Int>, with values: Matrix<Float>) {
    concurrentChunks(of: &storage, size: columns) { row, entries in
      let source = values.elements
      let start = row * range.count
      for column in range { entries[column] = source[start + column - range.lowerBound] }
    }
  }
}
