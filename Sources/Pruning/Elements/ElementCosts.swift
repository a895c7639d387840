import Curvature
import LinearAlgebra

/// What single weights of a layer are worth: `½ w² ρᵣ κ꜀`, recomputed whenever it is asked for.
///
/// With repair `ρ = 1/(G⁻¹)ᵣᵣ` and `κ = 1/(A⁻¹)꜀꜀`; without, `ρ = Gᵣᵣ` and `κ = A꜀꜀`, one where the
/// method takes a factor for the identity; zero outside the model, where nothing has an effect.
struct ElementPrices: Sendable {
  /// `ρ`, one for each row of the layer.
  let rows: [Double]
  /// `κ`, one for each column of the layer, with the bias.
  let columns: [Double]

  init(
    _ layer: ActiveLayer,
    method: Method,
    conditioned: ConditionedFactors?
  ) throws(PruningError) {
    var rows = [Double](repeating: 0, count: layer.problem.mask.outputs)
    var columns = [Double](repeating: 0, count: layer.width)
    if let conditioned {
      let (rowPivots, columnPivots) = (
        conditioned.gradients.cholesky.inverseDiagonal(),
        conditioned.activations.cholesky.inverseDiagonal()
      )
      for (place, row) in layer.keptRows.enumerated() { rows[row] = 1 / rowPivots[place] }
      for (place, column) in layer.keptColumns.enumerated() {
        columns[column] = 1 / columnPivots[place]
      }
    } else {
      let gradients = method == .kobd ? layer.factors?.gradients.matrix : nil
      let activations = method == .magnitude ? nil : layer.factors?.activations.matrix
      for row in layer.keptRows { rows[row] = gradients.map { Double($0[row, row]) } ?? 1 }
      for column in layer.keptColumns {
        columns[column] = activations.map { Double($0[column, column]) } ?? 1
      }
    }
    guard (rows + columns).allSatisfy(\.isFinite) else {
      throw .costNotFinite(layer: layer.problem.name)
    }
    self.rows = rows
    self.columns = columns
  }

  /// Prices that were kept, one for each row and each column with the bias.
  init(rows: [Double], columns: [Double]) {
    self.rows = rows
    self.columns = columns
  }

  /// The damped diagonals of both factors: `ρ = Gᵣᵣ`, `κ = A꜀꜀` for all rows and columns of the
  /// model, kept or not.
  init(diagonalsOf layer: ActiveLayer) {
    var rows = [Double](repeating: 0, count: layer.problem.mask.outputs)
    var columns = [Double](repeating: 0, count: layer.width)
    if let factors = layer.factors {
      for row in layer.baseRows { rows[row] = factors.gradients.diagonal(row) }
      for column in layer.baseColumns { columns[column] = factors.activations.diagonal(column) }
    }
    self.rows = rows
    self.columns = columns
  }

  /// The cost of one weight, rounded to single precision; not negative.
  @inline(__always)
  func cost(_ weight: Float, row: Int, column: Int) -> Float {
    Float(0.5 * Double(weight) * Double(weight) * rows[row] * columns[column])
  }
}
