import LinearAlgebra

/// Removes units of columns one after another, and knows at every moment what each of the rest would
/// cost.
///
/// With `V = A⁻¹` and `M = Wᵀ G W`, damped, over the columns that are left, the removal of the columns
/// `S` costs `½ tr(M_SS V_SS⁻¹)` after the best repair. It leaves `W − W_S T` with
/// `T = V_SS⁻¹ V_S`, and so
///
///     V' = V − Tᵀ V_S,     M' = M − Tᵀ B − Bᵀ T,     B = M_S − ½ M_SS T.
///
/// Both matrices are brought up to date for many removals at once, by products that are as fast as
/// the machine multiplies; until then the changes wait in a panel. The diagonal blocks, which the
/// costs need, are always up to date. So the exact sequential choice costs about as much as two
/// factorisations.
struct UnitElimination {
  /// The places of each unit's columns among the columns of the model.
  private let places: [Range<Int>]
  /// `V` without the changes that wait.
  private var inverse: Matrix<Double>
  /// `M` without the changes that wait.
  private var moment: Matrix<Double>
  private var blocks: DiagonalBlocks
  private var panel: Panel

  /// Starts with nothing removed.
  ///
  /// - Parameters:
  ///   - inverse: `V`, shape `[n, n]`, symmetric.
  ///   - moment: `M`, shape `[n, n]`, symmetric.
  ///   - places: The columns of each unit; they do not overlap, and some units may have none.
  init(inverse: Matrix<Double>, moment: Matrix<Double>, places: [Range<Int>]) {
    precondition(
      inverse.rows == moment.rows && places.allSatisfy { $0.upperBound <= inverse.rows },
      "the units lie within the matrices"
    )
    self.places = places
    self.inverse = inverse
    self.moment = moment
    blocks = DiagonalBlocks(inverse: inverse, moment: moment, places: places)
    let widest = places.reduce(0) { max($0, $1.count) }
    panel = Panel(capacity: max(64, widest), width: inverse.rows)
  }

  /// What the removal of each unit would cost now; zero for units without columns.
  ///
  /// - Throws: ``FactorizationError`` if a block of `V` is not positive definite any more.
  func costs(of units: [Int]) throws(FactorizationError) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(units.count)
    for unit in units { result.append(try blocks.cost(unit)) }
    return result
  }

  /// Removes a unit.
  ///
  /// - Returns: What that costs.
  /// - Throws: ``FactorizationError`` if its block of `V` is not positive definite any more.
  mutating func remove(_ unit: Int) throws(FactorizationError) -> Double {
    let range = places[unit]
    guard !range.isEmpty else { return 0 }
    if panel.used + range.count > panel.capacity { panel.flush(into: &inverse, &moment) }
    let cost = try blocks.cost(unit)
    let change = try EliminationStep(
      panel.current(inverse, minus: [(\.gain, \.rows)], range),
      panel.current(moment, minus: [(\.gain, \.bend), (\.bend, \.gain)], range),
      range
    )
    blocks.remove(unit, change)
    panel.append(change)
    return cost
  }
}

/// What the removal of one unit does to `V` and `M`; one row for each of its columns.
struct EliminationStep {
  /// `T = V_SS⁻¹ V_S`.
  let gain: Matrix<Double>
  /// `V_S`.
  let rows: Matrix<Double>
  /// `B = M_S − ½ M_SS T`.
  let bend: Matrix<Double>

  init(
    _ inverse: Matrix<Double>,
    _ moment: Matrix<Double>,
    _ range: Range<Int>
  ) throws(FactorizationError) {
    let all = Array(0..<inverse.rows)
    let pivot = try Cholesky(inverse.selecting(rows: all, columns: Array(range)))
    var gain = inverse
    pivot.solve(&gain)
    var bend = moment
    let crossing = moment.selecting(rows: all, columns: Array(range))
    multiplyTiled(crossing.view, gain.view, scale: -0.5, keeping: 1, into: &bend)
    (self.gain, rows, self.bend) = (gain, inverse, bend)
  }
}

/// Changes that `V` and `M` do not contain yet.
private struct Panel {
  let capacity: Int
  private(set) var used = 0
  private(set) var gain: Matrix<Double>
  private(set) var rows: Matrix<Double>
  private(set) var bend: Matrix<Double>

  init(capacity: Int, width: Int) {
    self.capacity = capacity
    gain = Matrix(rows: capacity, columns: width)
    (rows, bend) = (gain, gain)
  }

  /// Some rows of a matrix as they are now: those stored less `Σ leftᵀ right` of what waits.
  func current(
    _ matrix: Matrix<Double>,
    minus pairs: [(left: KeyPath<Panel, Matrix<Double>>, right: KeyPath<Panel, Matrix<Double>>)],
    _ range: Range<Int>
  ) -> Matrix<Double> {
    let width = matrix.columns
    let stored = matrix.storage[range.lowerBound * width..<range.upperBound * width]
    var result = Matrix(rows: range.count, columns: width, storage: Array(stored))
    guard used > 0 else { return result }
    let waiting = Array(0..<used)
    for pair in pairs {
      let left = self[keyPath: pair.left].selecting(rows: waiting, columns: Array(range))
      let right = self[keyPath: pair.right]
      let filled = MatrixView(right.elements, rows: used, columns: width)
      multiplyTiled(left.transposedView, filled, scale: -1, keeping: 1, into: &result)
    }
    return result
  }

  mutating func append(_ change: EliminationStep) {
    let start = used * gain.columns
    let end = start + change.gain.storage.count
    gain.storage.replaceSubrange(start..<end, with: change.gain.storage)
    rows.storage.replaceSubrange(start..<end, with: change.rows.storage)
    bend.storage.replaceSubrange(start..<end, with: change.bend.storage)
    used += change.gain.rows
  }

  /// Brings both matrices up to date.
  mutating func flush(into inverse: inout Matrix<Double>, _ moment: inout Matrix<Double>) {
    let (gain, rows, bend) = (gain, rows, bend)
    let width = gain.columns
    let gains = MatrixView(gain.elements, rows: used, columns: width)
    let values = MatrixView(rows.elements, rows: used, columns: width)
    let bends = MatrixView(bend.elements, rows: used, columns: width)
    multiplyTiled(gains.transposed, values, scale: -1, keeping: 1, into: &inverse)
    multiplyTiled(gains.transposed, bends, scale: -1, keeping: 1, into: &moment)
    multiplyTiled(bends.transposed, gains, scale: -1, keeping: 1, into: &moment)
    used = 0
  }
}
