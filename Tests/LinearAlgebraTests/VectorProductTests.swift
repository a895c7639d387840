import LinearAlgebra
import Testing

@Suite("Products of a matrix and a vector", .serialized)
struct VectorProductTests {
  static let shapes = [(0, 3), (3, 0), (1, 1), (1, 9), (9, 1), (5, 7), (130, 257), (4100, 66)]

  @Test("equal two loops, straight and transposed", arguments: shapes)
  func plain(m: Int, n: Int) {
    check(m, n, of: Float.self)
    check(m, n, of: Double.self)
  }

  private func check<Scalar: BLASScalar>(_ m: Int, _ n: Int, of: Scalar.Type) {
    let matrix: Matrix<Scalar> = wholeNumbers(m, n, seed: 1)
    let turned = matrix.transposed()
    let vector: Matrix<Scalar> = wholeNumbers(n, 1, seed: 2)
    let old: Matrix<Scalar> = wholeNumbers(m, 1, seed: 3)
    for keeping: Scalar in [0, 1, -3] {
      let exact = naiveProduct(matrix, vector, scale: 2, keeping: keeping, old).storage
      for isTurned in [false, true] {
        var result = old.storage
        var target = result.mutableSpan
        multiply(
          isTurned ? turned.transposedView : matrix.view,
          by: vector.elements,
          scale: 2,
          keeping: keeping,
          into: &target
        )
        #expect(result == exact)
      }
    }
  }

  @Test("read a rectangle inside a larger array and leave what lies behind the result")
  func strided() {
    let large: Matrix<Float> = wholeNumbers(6, 11, seed: 4)
    let part = large.selecting(rows: Array(0..<6), columns: Array(0..<5))
    let vector: Matrix<Float> = wholeNumbers(5, 1, seed: 5)
    var result = [Float](repeating: 9, count: 8)
    var target = result.mutableSpan
    multiply(
      MatrixView(large.elements, rows: 6, columns: 5, stride: 11),
      by: vector.elements,
      into: &target
    )
    let exact = naiveProduct(part, vector, Matrix(rows: 6, columns: 1)).storage
    #expect(result == exact + [9, 9])
  }

  @Test("on all threads: the same, and overwrite NaN", arguments: shapes)
  func tiled(m: Int, n: Int) {
    let matrix: Matrix<Float> = wholeNumbers(m, n, seed: 6)
    let vector: Matrix<Float> = wholeNumbers(n, 1, seed: 7)
    let old: Matrix<Float> = wholeNumbers(m, 1, seed: 8)
    var kept = old.storage
    multiplyTiled(matrix, by: vector.storage, keeping: 1, into: &kept)
    #expect(kept == naiveProduct(matrix, vector, keeping: 1, old).storage)
    var fresh = [Float](repeating: .nan, count: m)
    multiplyTiled(matrix, by: vector.storage, into: &fresh)
    #expect(fresh == naiveProduct(matrix, vector, old).storage)
  }

  @Test("carry NaN and infinity of the factors on")
  func notFinite() {
    var matrix: Matrix<Float> = wholeNumbers(4, 3, seed: 9)
    matrix[1, 2] = .nan
    matrix[2, 0] = .infinity
    var result = [Float](repeating: 0, count: 4)
    multiplyTiled(matrix, by: [1, 1, 1], into: &result)
    #expect(result[0].isFinite && result[1].isNaN && result[2] == .infinity && result[3].isFinite)
  }

  @Test("have bits that do not depend on the number of threads")
  func threads() {
    let matrix: Matrix<Float> = fractions(3001, 130, seed: 10)
    let vector: Matrix<Float> = fractions(130, 1, seed: 11)
    let results = [1, 2, 4].map { threads in
      onThreads(threads) {
        var result = [Float](repeating: 0, count: 3001)
        multiplyTiled(matrix, by: vector.storage, into: &result)
        return result
      }
    }
    #expect(results[0] == results[1] && results[0] == results[2])
  }
}
