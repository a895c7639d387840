import Curvature
import LinearAlgebra

extension ActiveLayer {
  /// The sequential costs of a part's units, for the method that repairs.
  ///
  /// - Parameter part: A part whose reader this layer is.
  /// - Returns: The elimination with nothing removed but what was removed before.
  /// - Throws: ``PruningError`` if `A` cannot be factorised.
  func elimination(of part: UnitPart) throws(PruningError) -> UnitElimination {
    guard let factors else { throw .curvatureMissing(layer: problem.name, .surgeon) }
    let conditioned: ConditionedFactor
    do {
      conditioned = try ConditionedFactor(
        factors.activations,
        keeping: keptColumns,
        side: .activations
      )
    } catch {
      throw .curvature(layer: problem.name, error)
    }
    let weights = zeroedOnly().selecting(rows: keptRows, columns: keptColumns).widened()
    var gradients = factors.gradients.matrix.selecting(rows: keptRows, columns: keptRows).widened()
    for (place, row) in keptRows.enumerated() {
      gradients[place, place] = factors.gradients.diagonal(row)
    }
    var left = weights
    multiplyTiled(gradients.view, weights.view, into: &left)
    var moment = Matrix<Double>(rows: keptColumns.count, columns: keptColumns.count)
    multiplyTiled(weights.transposedView, left.view, into: &moment)
    return UnitElimination(
      inverse: conditioned.cholesky.inverse(),
      moment: moment,
      places: places(of: part)
    )
  }

  /// The places of each unit's columns among the kept columns of the model.
  private func places(of part: UnitPart) -> [Range<Int>] {
    var next = 0
    return (0..<part.count).map { unit in
      let start = next
      while next < keptColumns.count, keptColumns[next] < part.columns(of: unit).upperBound {
        next += 1
      }
      // The bias lies behind the columns of all units.
      return start..<next
    }
  }

  /// What each unit costs without repair, whatever else is removed; for the baselines.
  ///
  /// `kobd`: `½ tr(W_Sᵀ G W_S A_SS)`, undamped. `lobd`: the same with `G = I`. `activation`: the
  /// variance of each input times the squared norm of its column, summed over the unit, halved: with
  /// `G = I` and inputs that do not depend on each other, what is lost when the bias takes over the
  /// mean. `magnitude`: half the squared norm of the columns.
  ///
  /// - Parameters:
  ///   - part: A part whose reader this layer is.
  ///   - method: One of the four.
  /// - Returns: A cost for each unit; zero for those that are gone.
  /// - Throws: ``PruningError/meansUnknown(layer:)`` where `activation` cannot know the means, or
  ///   ``PruningError/costNotFinite(layer:)``.
  func plainCosts(of part: UnitPart, method: Method) throws(PruningError) -> [Double] {
    guard method != .activation || problem.hasBias else {
      throw .meansUnknown(layer: problem.name)
    }
    let current = zeroedOnly()
    let weights = current.selecting(rows: keptRows, columns: keptColumns)
    var left = weights
    if method == .kobd, let factors {
      let gradients = factors.gradients.matrix.selecting(rows: keptRows, columns: keptRows)
      multiplyTiled(gradients.view, weights.view, into: &left)
    }
    let (rows, columns, sources) = (keptRows.count, keptColumns, left)
    let ranges = places(of: part)
    let costs = concurrentMap(count: part.count) { unit in
      var cost = 0.0
      for first in ranges[unit] {
        for second in ranges[unit] {
          let activation = self.activation(columns[first], columns[second], method: method)
          guard activation != 0 else { continue }
          var sum = 0.0
          for row in 0..<rows {
            sum += Double(weights[row, first]) * Double(sources[row, second])
          }
          cost += sum * activation / 2
        }
      }
      return max(0, cost)
    }
    guard costs.allSatisfy(\.isFinite) else { throw .costNotFinite(layer: problem.name) }
    return costs
  }

  /// What stands for `A` in a cost without repair.
  private func activation(_ first: Int, _ second: Int, method: Method) -> Double {
    guard method != .magnitude, let moment = factors?.activations.matrix else {
      return first == second ? 1 : 0
    }
    guard method == .activation else { return Double(moment[first, second]) }
    guard first == second else { return 0 }
    let mean = Double(moment[first, problem.mask.inputs])
    return max(0, Double(moment[first, first]) - mean * mean)
  }

  /// The weights with the removed ones set to zero and a bias that makes up for what the removed
  /// inputs are on average: `b + W_S E[x_S]`.
  func biasCompensated() -> Matrix<Float> {
    var result = zeroedOnly()
    guard problem.hasBias, let moment = factors?.activations.matrix else { return result }
    let inputs = problem.mask.inputs
    let lost = (0..<inputs).filter { !plan.mask.keptColumns[$0] && !plan.freedColumns[$0] }
    for row in plan.mask.keptRows.indices {
      var sum = Double(result[row, inputs])
      for column in lost {
        sum += Double(problem.weights[row, column]) * Double(moment[column, inputs])
      }
      result[row, inputs] = Float(sum)
    }
    return result
  }
}

extension LayerProblem {
  /// Half the squared norm of the rows of each unit, with their biases.
  func rowNorms(of part: UnitPart, _ writer: UnitPart.Writer) -> [Double] {
    let width = weights.columns
    let entries = weights.elements
    return (0..<part.count).map { unit in
      var sum = 0.0
      for row in writer.rows(of: unit) where mask.keptRows[row] {
        for index in row * width..<(row + 1) * width {
          sum += Double(entries[index]) * Double(entries[index])
        }
      }
      return sum / 2
    }
  }
}
