import LinearAlgebra
import TestKit
import Testing

@testable import Training

@Suite("Masked least squares")
struct MaskedLeastSquaresTests {
  /// A problem with more tokens than inputs; every third weight and one bias are fixed.
  private func problem(outputs: Int, inputs: Int) -> (MaskedLeastSquares, Matrix<Double>) {
    var numbers = SplitMix64(seed: 3)
    func draw(_ rows: Int, _ columns: Int) -> Matrix<Double> {
      Matrix(
        rows: rows,
        columns: columns,
        storage: (0..<rows * columns).map { _ in Double.random(in: -1...1, using: &numbers) }
      )
    }
    let (x, y) = (draw(3 * inputs, inputs), draw(3 * inputs, outputs))
    var moment = Matrix<Double>(rows: inputs, columns: inputs)
    var cross = Matrix<Double>(rows: outputs, columns: inputs)
    multiplyTiled(x.transposedView, x.view, into: &moment)
    multiplyTiled(y.transposedView, x.view, into: &cross)
    let free = (0..<outputs * inputs).map { $0 % 3 != 1 }
    return (
      MaskedLeastSquares(moment: moment, cross: cross, free: free), draw(outputs, inputs)
    )
  }

  @Test("the gradient vanishes on free entries, and the others stay", arguments: [1, 4, 17])
  func optimum(inputs: Int) {
    var (problem, start) = problem(outputs: 3, inputs: inputs)
    problem.damping = 0
    let solution = problem.solution(from: start)
    var slope = problem.cross
    multiplyTiled(solution.view, problem.moment.view, scale: -1, keeping: 1, into: &slope)
    for index in problem.free.indices {
      if problem.free[index] {
        // The first residual is some 50; rows end at 1e-7 of it.
        #expect(abs(slope.storage[index]) <= 1e-4)
      } else {
        #expect(solution.storage[index] == start.storage[index])
      }
    }
    #expect(problem.value(of: solution) <= problem.value(of: start))
  }

  @Test("the sum of squares never rises, however few the iterations", arguments: 0..<6)
  func monotone(iterations: Int) {
    var (problem, start) = problem(outputs: 5, inputs: 12)
    problem.iterations = iterations
    var more = problem
    more.iterations += 1
    let (few, many) = (problem.solution(from: start), more.solution(from: start))
    #expect(problem.value(of: many) <= problem.value(of: few))
    #expect(problem.value(of: few) <= problem.value(of: start))
  }

  @Test("inputs that are always zero leave their weights alone")
  func dead() {
    let moment = Matrix<Double>(rows: 2, columns: 2, storage: [4, 0, 0, 0])
    let cross = Matrix<Double>(rows: 1, columns: 2, storage: [8, 0])
    let problem = MaskedLeastSquares(moment: moment, cross: cross, free: [true, true])
    let solution = problem.solution(from: Matrix(rows: 1, columns: 2, storage: [0, 7]))
    #expect(abs(solution[0, 0] - 2) <= 1e-5)
    #expect(solution[0, 1] == 7)
  }
}
