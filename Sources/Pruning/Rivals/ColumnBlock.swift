import LinearAlgebra

/// The columns that are swept before later ones are brought up to date.
struct ColumnBlock: Sendable {
  /// The weights, shape `[rows, width]`; after the sweep, removed ones hold their error `w / U_jj`.
  var weights: Matrix<Float>
  /// One where a weight may be kept.
  let initial: Matrix<Float>
  /// The part of `U` within the block; shape `[width, width]`.
  let root: Matrix<Float>
  /// One where a weight is kept.
  private(set) var support: Matrix<Float>

  init(weights: Matrix<Float>, initial: Matrix<Float>, root: Matrix<Float>) {
    self.weights = weights
    self.initial = initial
    self.root = root
    support = Matrix(rows: weights.rows, columns: weights.columns, repeating: 1)
  }

  /// The errors of the removed, zero for the kept.
  var errors: Matrix<Float> {
    var result = weights
    forEachPiece(of: &result) { start, entries in
      let support = support.elements
      for index in entries.indices where support[start + index] != 0 { entries[index] = 0 }
    }
    return result
  }

  /// Sets the weights of some columns to zero.
  mutating func clear(columns: [Int]) {
    for row in 0..<weights.rows { for column in columns { weights[row, column] = 0 } }
  }

  /// Decides what is removed, except by a pattern, whose groups are decided during the sweep.
  mutating func choose(_ target: LayerwiseTarget, inColumns columns: Range<Int>) {
    guard case .share(let share) = target else { return }
    let rows = weights.rows
    let number = count(of: share, columns.lowerBound * rows..<columns.upperBound * rows)
    support = WeightScores(weights.scores(root), initial: initial).withoutLeast(number)
  }

  /// Removes the chosen weights column by column; rows do not affect each other.
  mutating func sweep(_ target: LayerwiseTarget) {
    let width = weights.columns
    let (root, initial) = (root, initial)
    concurrentChunks(of: &weights.storage, size: width, and: &support.storage, size: width) {
      row,
      weights,
      support in
      let root = root.elements
      let initial = initial.elements.extracting(row * width..<(row + 1) * width)
      for column in 0..<width {
        if case .pattern(let kept, let size) = target, column % size == 0 {
          let group = column..<column + size
          removeLeast(size - kept, from: &support, at: group) { place in
            let weight = weights[place] / root[place * (width + 1)]
            return initial[place] == 0 ? -1 : weight * weight
          }
          for place in group where initial[place] == 0 { support[place] = 0 }
        }
        guard support[column] == 0 else { continue }
        let error = weights[column] / root[column * (width + 1)]
        weights[column] = error
        for later in column + 1..<max(width, column + 1) {
          weights[later] -= error * root[column * width + later]
        }
      }
    }
  }
}

extension Matrix<Float> {
  /// `w² / U_jj²` for the weights of a block.
  fileprivate func scores(_ root: Matrix<Float>) -> Matrix<Float> {
    var result = self
    let pivots = root.diagonal
    guard columns > 0 else { return result }
    concurrentChunks(of: &result.storage, size: columns) { _, entries in
      for column in entries.indices {
        let ratio = entries[column] / pivots[column]
        entries[column] = ratio * ratio
      }
    }
    return result
  }
}
