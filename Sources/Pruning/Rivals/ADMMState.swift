import LinearAlgebra

/// The variables of ADMM; all of the shape of `W`.
struct ADMMState {
  /// `D`.
  var sparse: Matrix<Float>
  /// The support of `D`.
  var support: Matrix<Float>
  /// `V`.
  private var dual: Matrix<Float>

  init(sparse: Matrix<Float>, support: Matrix<Float>) {
    self.sparse = sparse
    self.support = support
    dual = Matrix(rows: sparse.rows, columns: sparse.columns)
  }

  /// `B`, given `W H` and `(H + ρ I)⁻¹`.
  func dense(_ pull: Matrix<Float>, _ inverse: Matrix<Float>, penalty: Float) -> Matrix<Float> {
    var right = pull
    let (dual, sparse) = (dual, sparse)
    forEachPiece(of: &right) { start, entries in
      let (dual, sparse) = (dual.elements, sparse.elements)
      for index in entries.indices {
        entries[index] += penalty * sparse[start + index] - dual[start + index]
      }
    }
    var result = right
    multiplyTiled(right.view, inverse.view, into: &result)
    return result
  }

  /// `B + V/ρ`.
  func candidate(_ dense: Matrix<Float>, penalty: Float) -> Matrix<Float> {
    var result = dense
    let dual = dual
    forEachPiece(of: &result) { start, entries in
      let dual = dual.elements
      for index in entries.indices { entries[index] += dual[start + index] / penalty }
    }
    return result
  }

  /// `V += ρ (B − D)`.
  mutating func advance(_ dense: Matrix<Float>, penalty: Float) {
    let sparse = sparse
    forEachPiece(of: &dual) { start, entries in
      let (dense, sparse) = (dense.elements, sparse.elements)
      for index in entries.indices {
        entries[index] += penalty * (dense[start + index] - sparse[start + index])
      }
    }
  }
}
