import LinearAlgebra
import Tensors
import Training
import Transformer

/// The moments of one input group, from which the least-squares problems of its layers are made.
///
/// `x` is what the pruned layers read and `u` what the dense ones read that they are fitted to, each
/// with a trailing 1 where the layers have a bias.
struct GroupMoments {
  /// `Σ x xᵀ`.
  private(set) var moment: Matrix<Double>
  /// `Σ u xᵀ`.
  private(set) var cross: Matrix<Double>
  /// `Σ u uᵀ`.
  private(set) var dense: Matrix<Double>
  /// The number of tokens.
  private(set) var tokens = 0

  /// Sums without a token.
  init(width: Int) {
    moment = Matrix(rows: width, columns: width)
    (cross, dense) = (moment, moment)
  }

  /// Adds the tokens of a batch.
  mutating func add(_ pruned: [Matrix<Float>], _ wanted: [Matrix<Float>], appendsOne: Bool) {
    for (pruned, wanted) in zip(pruned, wanted) {
      let (x, u) = (pruned.wide(appendsOne), wanted.wide(appendsOne))
      multiplyTiled(x.transposedView, x.view, keeping: 1, into: &moment)
      multiplyTiled(u.transposedView, x.view, keeping: 1, into: &cross)
      multiplyTiled(u.transposedView, u.view, keeping: 1, into: &dense)
      tokens += x.rows
    }
  }
}

extension Matrix where Scalar == Float {
  /// The matrix in double precision, with a column of ones at the right if wanted.
  fileprivate func wide(_ appendsOne: Bool) -> Matrix<Double> {
    guard appendsOne else { return widened() }
    var entries: [Double] = []
    entries.reserveCapacity(rows * (columns + 1))
    for row in 0..<rows {
      for column in 0..<columns { entries.append(Double(self[row, column])) }
      entries.append(1)
    }
    return Matrix<Double>(rows: rows, columns: columns + 1, storage: entries)
  }
}

/// The least-squares problem of one layer: the kept weights whose outputs come closest to those of
/// the dense layer.
struct MatrixProblem {
  private let problem: MaskedLeastSquares
  private let start: Matrix<Double>
  /// `Σ ‖y‖²`.
  private let energy: Double
  private let entries: Double

  /// The problem of a layer.
  ///
  /// - Parameters:
  ///   - pruned: The weights as they are, a bias as their last column.
  ///   - dense: Those before the pruning.
  ///   - moments: What the layer reads.
  ///   - biasColumn: The column of the bias, if there is one, and whether it may change.
  init(
    _ pruned: Matrix<Double>,
    dense: Matrix<Double>,
    _ moments: GroupMoments,
    biasColumn: (index: Int, isTrained: Bool)?
  ) {
    var cross = Matrix<Double>(rows: pruned.rows, columns: pruned.columns)
    multiplyTiled(dense.view, moments.cross.view, into: &cross)
    let width = pruned.columns
    let isEmpty = (0..<pruned.rows).map { row in
      pruned.storage[row * width..<(row + 1) * width].allSatisfy { $0 == 0 }
    }
    let free = pruned.storage.indices.map { index in
      guard let biasColumn, index % width == biasColumn.index else {
        return pruned.storage[index] != 0
      }
      return biasColumn.isTrained && !isEmpty[index / width]
    }
    problem = MaskedLeastSquares(moment: moments.moment, cross: cross, free: free)
    start = pruned
    let zero = Matrix<Double>(rows: dense.rows, columns: dense.columns)
    energy = MaskedLeastSquares(moment: moments.dense, cross: zero, free: free).value(of: dense)
    entries = Double(max(1, moments.tokens * pruned.rows))
  }

  /// The weights of the least error.
  func solution() -> Matrix<Double> { problem.solution(from: start) }

  /// The mean square of the outputs' difference from the dense layer's, over tokens and outputs.
  func error(of weights: Matrix<Double>) -> Double {
    max(0, energy + problem.value(of: weights)) / entries
  }
}
