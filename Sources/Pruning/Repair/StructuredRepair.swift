import Curvature
import LinearAlgebra

/// The factorised kept parts of both factors of a layer.
struct ConditionedFactors: Sendable {
  let activations: ConditionedFactor
  let gradients: ConditionedFactor

  init(_ layer: ActiveLayer) throws(PruningError) {
    guard let factors = layer.factors else {
      throw .curvatureMissing(layer: layer.problem.name, .surgeon)
    }
    do throws(CurvatureError) {
      activations = try ConditionedFactor(
        factors.activations,
        keeping: layer.keptColumns,
        side: .activations
      )
      gradients = try ConditionedFactor(
        factors.gradients,
        keeping: layer.keptRows,
        side: .gradients
      )
    } catch {
      throw .curvature(layer: layer.problem.name, error)
    }
  }

  var timesRaised: Int { activations.timesRaised + gradients.timesRaised }
}

extension ActiveLayer {
  /// The exact joint optimum for whole removed rows and columns.
  ///
  /// With kept sets `r`, `c`, it is `X[r,c] = G[r,r]⁻¹ (G W A)[r,c] A[c,c]⁻¹`, damped. Written for
  /// the removed sets `q`, `s`, that is `Y = W[r,:] + G[r,r]⁻¹ G[r,q] W[q,:]` and then
  /// `X = Y[:,c] + Y[:,s] A[s,c] A[c,c]⁻¹`, where damping, being diagonal, appears in the inverses
  /// alone and nothing is rounded that no removal touches.
  ///
  /// - Returns: `X[r,c]`.
  func structuredOptimum(_ conditioned: ConditionedFactors) throws(PruningError) -> Matrix<Float> {
    let weights = problem.weights.selecting(rows: keptRows, columns: baseColumns).widened()
    let rowsRepaired = addingRemovedRows(to: weights, conditioned.gradients)
    let result = addingRemovedColumns(to: rowsRepaired, conditioned.activations).narrowed()
    guard result.isFinite else { throw .repairNotFinite(layer: problem.name) }
    return result
  }

  /// `W[r,:] + G[r,r]⁻¹ G[r,q] W[q,:]` over the columns of the model.
  private func addingRemovedRows(
    to weights: Matrix<Double>,
    _ gradients: ConditionedFactor
  ) -> Matrix<Double> {
    let removed = baseRows.filter { !keptRows.containsSorted($0) }
    guard !removed.isEmpty, !keptRows.isEmpty, let factors else { return weights }
    let cross = factors.gradients.matrix.selecting(rows: removed, columns: keptRows).widened()
    let lost = problem.weights.selecting(rows: removed, columns: baseColumns).widened()
    let correction = gradients.cholesky.solveFromRight(lost.transposedView, cross)
    return weights.adding(correction.transposed())
  }

  /// `Y[:,c] + Y[:,s] A[s,c] A[c,c]⁻¹`.
  private func addingRemovedColumns(
    to weights: Matrix<Double>,
    _ activations: ConditionedFactor
  ) -> Matrix<Double> {
    let isKept = baseColumns.map { keptColumns.containsSorted($0) }
    let keptPlaces = baseColumns.indices.filter { isKept[$0] }
    let lostPlaces = baseColumns.indices.filter { !isKept[$0] }
    let rows = Array(0..<weights.rows)
    let kept = weights.selecting(rows: rows, columns: keptPlaces)
    guard !lostPlaces.isEmpty, !keptPlaces.isEmpty, let factors else { return kept }
    let lost = weights.selecting(rows: rows, columns: lostPlaces)
    let cross = factors.activations.matrix
      .selecting(rows: lostPlaces.map { baseColumns[$0] }, columns: keptColumns).widened()
    return kept.adding(activations.cholesky.solveFromRight(lost.view, cross))
  }

  /// The whole weight matrix with the kept part of the model replaced and the mask applied.
  func assembled(_ kept: Matrix<Float>) -> Matrix<Float> {
    var result = problem.weights
    result.scatter(kept, rows: keptRows, columns: keptColumns)
    plan.mask.apply(to: &result)
    return result
  }

  /// The weights with the removed ones set to zero and nothing else changed.
  func zeroedOnly() -> Matrix<Float> {
    var result = problem.weights
    plan.mask.apply(to: &result)
    return result
  }

  /// The predicted rise of the loss for new weights, undamped; nats per token.
  func loss(of weights: Matrix<Float>) -> Double? {
    guard let factors else { return nil }
    var change = weights.selecting(rows: baseRows, columns: baseColumns)
    let old = problem.weights.selecting(rows: baseRows, columns: baseColumns)
    for index in change.storage.indices { change.storage[index] -= old.storage[index] }
    return quadraticLoss(
      of: change,
      activations: factors.activations.matrix.selecting(rows: baseColumns, columns: baseColumns),
      gradients: factors.gradients.matrix.selecting(rows: baseRows, columns: baseRows)
    )
  }
}

extension Matrix<Double> {
  fileprivate func adding(_ other: Matrix<Double>) -> Matrix<Double> {
    var result = self
    for index in result.storage.indices { result.storage[index] += other.storage[index] }
    return result
  }
}

extension [Int] {
  /// Whether a rising array contains a number.
  func containsSorted(_ number: Int) -> Bool {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < number { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low] == number
  }
}
