import Curvature
import LinearAlgebra

/// The part of a layer that the quadratic model speaks about, and what is kept of it.
///
/// Rows and columns are outside the model if they were removed earlier, are freed, or are dead: all
/// their weights are zero or the factor's diagonal is. Dead ones that are kept keep their weights.
struct ActiveLayer: Sendable {
  let problem: LayerProblem
  let plan: LayerPlan
  /// The rows of the model, rising; the repair makes up for those that are not kept.
  let baseRows: [Int]
  /// The columns of the model, rising, with the bias last.
  let baseColumns: [Int]
  /// The rows of the model that have kept weights.
  let keptRows: [Int]
  /// The columns of the model that have kept weights, with the bias last.
  let keptColumns: [Int]
  /// `A` and `G` with their damping; nothing without curvature.
  let factors: (activations: DampedFactor, gradients: DampedFactor)?

  init(_ problem: LayerProblem, plan: LayerPlan, settings: PruningSettings) throws(PruningError) {
    self.problem = problem
    self.plan = plan
    guard settings.method == .magnitude || problem.factors != nil else {
      throw .curvatureMissing(layer: problem.name, settings.method)
    }
    let alive = AliveSets(problem, method: settings.method)
    baseRows = alive.rows.filter { !plan.freedRows[$0] }
    let inputs = problem.mask.inputs
    baseColumns = alive.columns.filter { $0 == inputs || !plan.freedColumns[$0] }
    let used = UsedSets(plan.mask, hasBias: problem.hasBias)
    keptRows = baseRows.filter { used.rows[$0] }
    keptColumns = baseColumns.filter { $0 == inputs || used.columns[$0] }
    factors = problem.factors.map { factors in
      let damping = settings.damping
      return (
        DampedFactor(
          factors.activations,
          alive: alive.columns,
          share: damping.activations,
          scale: damping.scale
        ),
        DampedFactor(
          factors.gradients,
          alive: alive.rows,
          share: damping.gradients,
          scale: damping.scale
        )
      )
    }
  }

  /// The number of columns, with the bias.
  var width: Int { problem.weights.columns }
}

/// The rows and columns that were alive when the curvature was measured.
private struct AliveSets {
  let rows: [Int]
  let columns: [Int]

  init(_ problem: LayerProblem, method: Method) {
    let mask = problem.mask
    let weights = problem.weights
    let inputs = mask.inputs
    var usedRows: [Int] = []
    var columnIsUsed = [Bool](repeating: false, count: weights.columns)
    let entries = weights.elements
    for row in mask.keptRows.indices {
      var isUsed = false
      for column in columnIsUsed.indices where entries[row * weights.columns + column] != 0 {
        isUsed = true
        columnIsUsed[column] = true
      }
      if isUsed { usedRows.append(row) }
    }
    let usesActivations = method != .magnitude
    let usesGradients = method == .surgeon || method == .kobd
    rows = usedRows.filter { row in
      !usesGradients || problem.factors.map { $0.gradients[row, row] > 0 } ?? true
    }
    columns = (0..<weights.columns).filter { column in
      let isUsed =
        column == inputs || (columnIsUsed[column] && mask.keptColumns[column])
      let isFed = problem.factors.map { $0.activations[column, column] > 0 } ?? true
      return isUsed && (!usesActivations || isFed)
    }
  }
}

/// The rows and columns that a mask leaves something of.
private struct UsedSets {
  var rows: BitSet
  var columns: BitSet

  init(_ mask: LayerMask, hasBias: Bool) {
    rows = mask.keptRows
    columns = mask.keptColumns
    guard !mask.isStructured else { return }
    var reached = [Bool](repeating: false, count: mask.inputs)
    for row in rows.indices {
      var isEmpty = true
      let flags = mask.keptFlags(row: row)
      for column in reached.indices where flags[column] {
        reached[column] = true
        isEmpty = false
      }
      if isEmpty && !hasBias { rows[row] = false }
    }
    columns = BitSet(count: mask.inputs, indices: columns.indices.filter { reached[$0] })
  }
}
