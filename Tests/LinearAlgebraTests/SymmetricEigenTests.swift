import LinearAlgebra
import Testing

@Suite("Symmetric eigenvalues")
struct SymmetricEigenTests {
  @Test(
    "restore the matrix, with orthonormal vectors and rising values",
    arguments: [1, 2, 7, 64, 200]
  )
  func restores(order: Int) throws {
    let matrix = CholeskyTests.sample(order: order)
    let eigen = try SymmetricEigen(matrix)
    #expect(zip(eigen.values, eigen.values.dropFirst()).allSatisfy { $0 <= $1 })
    var scaled = eigen.vectors
    for row in 0..<order {
      for column in 0..<order { scaled[row, column] *= eigen.values[row] }
    }
    var product = Matrix<Double>(rows: order, columns: order)
    multiplyTiled(eigen.vectors.transposedView, scaled.view, into: &product)
    var gram = Matrix<Double>(rows: order, columns: order)
    multiplyTiled(eigen.vectors.view, eigen.vectors.transposedView, into: &gram)
    // Backward stable: a small multiple of n ε times the largest eigenvalue.
    let tolerance = 10 * Double(order) * .ulpOfOne * max(1, eigen.values.last ?? 0)
    for row in 0..<order {
      for column in 0..<order {
        #expect(abs(product[row, column] - matrix[row, column]) <= tolerance)
        #expect(abs(gram[row, column] - (row == column ? 1 : 0)) <= tolerance)
      }
    }
  }

  @Test("are those of a matrix that is solved by hand, of which the lower triangle counts")
  func known() throws {
    let matrix = Matrix<Double>(rows: 2, columns: 2, storage: [2, 99, 1, 2])
    let eigen = try SymmetricEigen(matrix)
    #expect(zip(eigen.values, [1, 3]).allSatisfy { abs($0 - $1) < 1e-15 })
    // The vectors are (1, −1)/√2 and (1, 1)/√2, up to their signs.
    #expect(abs(eigen.vectors[0, 0] + eigen.vectors[0, 1]) < 1e-15)
    #expect(abs(eigen.vectors[1, 0] - eigen.vectors[1, 1]) < 1e-15)
  }

  @Test("of nothing are none, and NaN is refused")
  func edges() throws {
    #expect(try SymmetricEigen(Matrix(rows: 0, columns: 0)).values.isEmpty)
    let broken = Matrix<Double>(rows: 2, columns: 2, storage: [1, 0, .nan, 1])
    #expect(throws: FactorizationError.notFinite) { try SymmetricEigen(broken) }
  }
}
