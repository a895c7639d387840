import LinearAlgebra
import Testing

@Suite("Triangles and finiteness")
struct TriangleTests {
  @Test("a mirrored triangle keeps its lower half", arguments: [0, 1, 63, 64, 65, 200])
  func mirrored(order: Int) {
    let matrix: Matrix<Float> = fractions(order, order, seed: 30)
    var lower: [Float] = []
    for row in 0..<order { lower += matrix.storage[row * order..<row * order + row + 1] }
    var symmetric = matrix
    mirrorLowerTriangle(of: &symmetric)
    for row in 0..<order {
      for column in 0..<order {
        #expect(symmetric[row, column] == matrix[max(row, column), min(row, column)])
      }
    }
    #expect(Matrix(lowerTriangle: lower, order: order) == symmetric)
  }

  @Test("a number that is not finite is seen wherever it stands", arguments: [0, 1, 17, 99])
  func finiteness(place: Int) {
    var values = [Float](repeating: .greatestFiniteMagnitude, count: 100)
    let before = isFinite(values.span)
    #expect(before)
    for bad in [Float.nan, .infinity, -.infinity] {
      values[place] = bad
      let after = isFinite(values.span)
      #expect(!after)
    }
  }

  @Test("a matrix in pieces too", arguments: [0, 65_535, 65_536, 89_999])
  func finiteMatrix(place: Int) {
    var single = Matrix<Float>(rows: 300, columns: 300, repeating: 1)
    var double = Matrix<Double>(rows: 300, columns: 300, repeating: 1)
    #expect(single.isFinite && double.isFinite)
    single.storage[place] = .nan
    double.storage[place] = -.infinity
    #expect(!single.isFinite && !double.isFinite)
    #expect(Matrix<Float>(rows: 0, columns: 3).isFinite)
  }
}
