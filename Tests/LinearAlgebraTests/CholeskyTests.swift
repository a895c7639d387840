import LinearAlgebra
import Testing

@Suite("Cholesky factorization")
struct CholeskyTests {
  /// `B Bᵀ + n I` for a fixed pseudo-random `B`: well conditioned.
  static func sample(order: Int) -> Matrix<Double> {
    var state: UInt64 = 42
    let entries = (0..<order * order).map { _ -> Double in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 40) / Double(1 << 24) - 0.5
    }
    let factor = Matrix(rows: order, columns: order, storage: entries)
    var result = Matrix<Double>.identity(order)
    for index in 0..<order { result[index, index] = Double(order) }
    addGram(of: factor.transposedView, to: &result)
    mirrorLowerTriangle(of: &result)
    return result
  }

  @Test("restores the matrix it came from", arguments: [1, 2, 7, 64, 300, 700])
  func restores(order: Int) throws {
    let matrix = Self.sample(order: order)
    let factor = try Cholesky(matrix).factor
    var product = Matrix<Double>(rows: order, columns: order)
    multiplyTiled(factor.view, factor.transposedView, into: &product)
    var worst = 0.0
    for index in matrix.storage.indices {
      worst = max(worst, abs(product.storage[index] - matrix.storage[index]))
    }
    // The backward error of Cholesky is at most (n + 1) ε times the largest diagonal entry.
    #expect(worst <= Double(order + 1) * .ulpOfOne * (matrix.diagonal.max() ?? 0))
  }

  @Test("the inverse times the matrix is the identity", arguments: [1, 5, 129, 600])
  func inverse(order: Int) throws {
    let matrix = Self.sample(order: order)
    let cholesky = try Cholesky(matrix)
    let inverse = cholesky.inverse()
    var product = Matrix<Double>(rows: order, columns: order)
    multiplyTiled(inverse.view, matrix.view, into: &product)
    // The matrix is `n` on the diagonal and bounded off it: its condition number is below 10.
    let tolerance = 10 * Double(order) * Double.ulpOfOne
    for row in 0..<order {
      for column in 0..<order {
        #expect(abs(product[row, column] - (row == column ? 1 : 0)) <= tolerance)
      }
    }
    #expect(zip(cholesky.inverseDiagonal(), inverse.diagonal).allSatisfy { abs($0 - $1) <= 1e-14 })
  }

  @Test("names the first minor that is not positive definite")
  func indefinite() {
    var matrix = Self.sample(order: 600)
    matrix[400, 400] = -1
    #expect(throws: FactorizationError.notPositiveDefinite(order: 401)) { try Cholesky(matrix) }
  }

  @Test("refuses NaN")
  func nan() {
    var matrix = Self.sample(order: 3)
    matrix[2, 1] = .nan
    #expect(throws: FactorizationError.notFinite) { try Cholesky(matrix) }
  }
}
