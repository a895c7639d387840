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

  @Test(
    "quadratic forms equal those of the matrix",
    arguments: [(1, 3), (5, 0), (129, 7), (600, 40), (260, 1030)]
  )
  func quadraticForms(order: Int, count: Int) throws {
    let matrix = Self.sample(order: order)
    let cholesky = try Cholesky(matrix)
    let rows: Matrix<Float> = fractions(count, order, seed: 21)
    let exact = rows.widened()
    var products = exact
    multiplyTiled(exact.view, matrix.view, into: &products)
    let expected = (0..<count).map { row in
      (0..<order).reduce(0) { $0 + products[row, $1] * exact[row, $1] }
    }
    for found in [
      cholesky.quadraticForms(ofRowsOf: rows),
      cholesky.quadraticForms(ofColumnsOf: rows.transposed()),
    ] {
      #expect(found.count == count)
      // Products in single precision, and a matrix whose condition number is below 10.
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-5 * $1 })
    }
  }

  @Test(
    "solving before a product or after it is the same",
    arguments: [(129, 3, 40), (129, 40, 3), (5, 0, 2), (5, 2, 0)]
  )
  func productAndSolution(order: Int, inner: Int, rows: Int) throws {
    let matrix = Self.sample(order: order)
    let left: Matrix<Double> = fractions(rows, inner, seed: 22)
    let middle: Matrix<Double> = fractions(inner, order, seed: 23)
    let solution = try Cholesky(matrix).solveFromRight(left.view, middle)
    #expect(solution.rows == rows && solution.columns == order)
    var (restored, expected) = (solution, solution)
    multiplyTiled(solution.view, matrix.view, into: &restored)
    multiplyTiled(left.view, middle.view, into: &expected)
    let scale = max(1, Double(inner)) * 1e-13
    #expect(zip(restored.storage, expected.storage).allSatisfy { abs($0 - $1) <= scale })
    let turned = left.transposed()
    #expect(try Cholesky(matrix).solveFromRight(turned.transposedView, middle) == solution)
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
