import Curvature
import LinearAlgebra

/// What the removal of each whole row and column of a layer would cost; in the method's unit.
struct StructureCosts: Sendable {
  /// The rows that are kept, rising, and their costs.
  var rows: [(index: Int, cost: Double)] = []
  /// The columns that are kept, rising, without the bias, and their costs.
  var columns: [(index: Int, cost: Double)] = []
}

extension ActiveLayer {
  /// Prices each kept row and column on its own, given everything that is removed.
  ///
  /// With the damped factors of the kept part, a row costs `½ (w A wᵀ) / (G⁻¹)ᵣᵣ` and a column
  /// `½ (wᵀ G w) / (A⁻¹)꜀꜀`: what the damped model loses after the best repair. Without repair
  /// they cost `½ (w A wᵀ) Gᵣᵣ` and `½ (wᵀ G w) A꜀꜀`, undamped, with `G = I` for `lobd` and
  /// `A = G = I` for `magnitude`. Rows and columns outside the model cost nothing.
  ///
  /// - Parameters:
  ///   - current: The weights after the repairs so far; shape `[outputs, inputs (+1)]`.
  ///   - method: How a removal is priced.
  ///   - conditioned: The factorised kept parts, for the method that repairs.
  /// - Returns: The costs.
  /// - Throws: ``PruningError/costNotFinite(layer:)``.
  func structureCosts(
    _ current: Matrix<Float>,
    method: Method,
    conditioned: ConditionedFactors?
  ) throws(PruningError) -> StructureCosts {
    let weights = current.selecting(rows: keptRows, columns: keptColumns)
    let (rowCosts, columnCosts) =
      if let conditioned { repairedCosts(weights, conditioned) } else { costs(weights, method) }
    guard (rowCosts + columnCosts).allSatisfy(\.isFinite) else {
      throw .costNotFinite(layer: problem.name)
    }
    return collect(rowCosts, columnCosts)
  }

  /// The costs of the kept rows and columns if the rest makes up for them.
  private func repairedCosts(
    _ weights: Matrix<Float>,
    _ conditioned: ConditionedFactors
  ) -> (rows: [Double], columns: [Double]) {
    let activations = conditioned.activations.cholesky
    let gradients = conditioned.gradients.cholesky
    let rowForms = activations.quadraticForms(ofRowsOf: weights)
    let columnForms = gradients.quadraticForms(ofColumnsOf: weights)
    return (
      zip(rowForms, gradients.inverseDiagonal()).map { $0 / 2 / $1 },
      zip(columnForms, activations.inverseDiagonal()).map { $0 / 2 / $1 }
    )
  }

  /// The costs of the kept rows and columns if nothing makes up for them.
  private func costs(
    _ weights: Matrix<Float>,
    _ method: Method
  ) -> (rows: [Double], columns: [Double]) {
    let activations = measured(.activations, method)
    let gradients = measured(.gradients, method)
    var right = weights
    if let activations { multiplyTiled(weights.view, activations.view, into: &right) }
    var left = weights
    if let gradients { multiplyTiled(gradients.view, weights.view, into: &left) }
    let rowFactors = gradients?.diagonal ?? [Float](repeating: 1, count: keptRows.count)
    let columnFactors = activations?.diagonal ?? [Float](repeating: 1, count: keptColumns.count)
    return (
      zip(rowProducts(right, weights), rowFactors).map { $0 / 2 * Double($1) },
      zip(columnProducts(left, weights), columnFactors).map { $0 / 2 * Double($1) }
    )
  }

  /// The kept part of a factor as it was measured, or nothing for the identity.
  private func measured(_ side: KroneckerFactors.Side, _ method: Method) -> Matrix<Float>? {
    guard method != .magnitude, let factors else { return nil }
    if side == .gradients && method == .lobd { return nil }
    let kept = side == .activations ? keptColumns : keptRows
    let factor = side == .activations ? factors.activations : factors.gradients
    return factor.matrix.selecting(rows: kept, columns: kept)
  }

  private func collect(_ rowCosts: [Double], _ columnCosts: [Double]) -> StructureCosts {
    var result = StructureCosts()
    var cost = [Double](repeating: 0, count: max(problem.mask.outputs, width))
    for (place, row) in keptRows.enumerated() { cost[row] = max(0, rowCosts[place]) }
    result.rows = plan.mask.keptRows.indices.map { ($0, cost[$0]) }
    for index in cost.indices { cost[index] = 0 }
    for (place, column) in keptColumns.enumerated() { cost[column] = max(0, columnCosts[place]) }
    result.columns = plan.mask.keptColumns.indices.map { ($0, cost[$0]) }
    return result
  }
}

/// `Σ left[row, c] · right[row, c]` for each row.
private func rowProducts(_ left: Matrix<Float>, _ right: Matrix<Float>) -> [Double] {
  concurrentMap(count: left.rows) { row in
    let range = row * left.columns..<(row + 1) * left.columns
    let (one, other) = (left.elements.extracting(range), right.elements.extracting(range))
    var sum = 0.0
    for index in one.indices { sum += Double(one[index]) * Double(other[index]) }
    return sum
  }
}

/// `Σ left[r, column] · right[r, column]` for each column.
private func columnProducts(_ left: Matrix<Float>, _ right: Matrix<Float>) -> [Double] {
  var sums = [Double](repeating: 0, count: left.columns)
  let (one, other) = (left.elements, right.elements)
  for row in 0..<left.rows {
    let start = row * left.columns
    for column in sums.indices {
      sums[column] += Double(one[start + column]) * Double(other[start + column])
    }
  }
  return sums
}
