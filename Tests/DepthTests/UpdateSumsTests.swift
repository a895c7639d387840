import Foundation
import LinearAlgebra
import TestKit
import Testing

@testable import Depth

@Suite("Scores of updates")
struct UpdateSumsTests {
  private static let length = 3

  private static func random(rows: Int, columns: Int, seed: UInt64) -> Matrix<Float> {
    var generator = SplitMix64(seed: seed)
    let values = (0..<rows * columns).map { _ in Float.random(in: -1...1, using: &generator) }
    return Matrix(rows: rows, columns: columns, storage: values)
  }

  private static func scores(_ x: Matrix<Float>, _ y: Matrix<Float>) -> UpdateSums.Scores {
    var sums = UpdateSums()
    sums.add(before: x, after: y, length: length)
    return sums.scores
  }

  @Test("each score is its formula, token by token")
  func formulas() {
    let (rows, width) = (12, 5)
    let x = Self.random(rows: rows, columns: width, seed: 1)
    let y = Self.random(rows: rows, columns: width, seed: 2)
    var expected = [Double](repeating: 0, count: 6)
    func norm(_ values: [Double]) -> Double { values.map { $0 * $0 }.reduce(0, +).squareRoot() }
    for row in 0..<rows {
      let a = (0..<width).map { Double(x[row, $0]) }
      let b = (0..<width).map { Double(y[row, $0]) }
      let update = zip(a, b).map { $1 - $0 }
      let cosine = zip(a, b).map { $0 * $1 }.reduce(0, +) / (norm(a) * norm(b))
      let l1 = update.map { abs($0) }.reduce(0, +)
      expected[0] += (1 - cosine) / Double(rows)
      if row % Self.length == 2 { expected[1] += acos(cosine) / .pi / Double(rows / Self.length) }
      expected[2] += l1 / Double(rows)
      expected[3] += norm(update) / Double(rows)
      expected[4] += l1 / a.map { abs($0) }.reduce(0, +) / Double(rows)
      expected[5] += norm(update) / norm(a) / Double(rows)
    }
    let scores = Self.scores(x, y)
    let found = [
      scores.cosine, scores.angular, scores.l1, scores.l2, scores.relativeL1, scores.relativeL2,
    ]
    // Double sums of 12 terms near 1; the inverse cosine is steep nowhere near here.
    for (left, right) in zip(found, expected) { #expect(abs(left - right) <= 1e-13) }
  }

  @Test("a unit that changes nothing has the score zero, even of zeros")
  func identity() {
    let x = Self.random(rows: 6, columns: 4, seed: 3)
    #expect(Self.scores(x, x) == UpdateSums.Scores())
    let zeros = Matrix<Float>(rows: 6, columns: 4)
    #expect(Self.scores(zeros, zeros) == UpdateSums.Scores())
  }

  @Test("a turn to the opposite is the largest angle, a longer state none")
  func angles() {
    let x = Self.random(rows: 6, columns: 4, seed: 4)
    var opposite = x
    var longer = x
    for index in x.storage.indices {
      opposite.storage[index] *= -1
      longer.storage[index] *= 2
    }
    #expect(abs(Self.scores(x, opposite).angular - 1) <= 1e-7)
    #expect(abs(Self.scores(x, opposite).cosine - 2) <= 1e-15)
    // The root of the rounding of a cosine near 1.
    #expect(abs(Self.scores(x, longer).angular) <= 1e-7)
    #expect(abs(Self.scores(x, longer).relativeL2 - 1) <= 1e-12)
  }

  @Test("sequences may come in any batches")
  func batches() {
    let x = Self.random(rows: 12, columns: 5, seed: 5)
    let y = Self.random(rows: 12, columns: 5, seed: 6)
    func part(_ matrix: Matrix<Float>, _ rows: Range<Int>) -> Matrix<Float> {
      Matrix(
        rows: rows.count,
        columns: 5,
        storage: Array(matrix.storage[rows.lowerBound * 5..<rows.upperBound * 5])
      )
    }
    var sums = UpdateSums()
    for rows in [0..<3, 3..<12] {
      sums.add(before: part(x, rows), after: part(y, rows), length: Self.length)
    }
    #expect(sums.scores == Self.scores(x, y))
  }

  @Test("a state of zeros that changes has no relative score that is a number")
  func undefined() throws {
    let zeros = Matrix<Float>(rows: 3, columns: 4)
    let scores = Self.scores(zeros, Self.random(rows: 3, columns: 4, seed: 7))
    #expect(scores.cosine == 1)
    #expect(throws: DepthError.scoreNotFinite(unit: 0)) {
      try Elimination.order([scores.relativeL2])
    }
  }
}
