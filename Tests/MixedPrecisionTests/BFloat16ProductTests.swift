import LinearAlgebra
import MixedPrecision
import TestKit
import Testing

@Suite("Products of bfloat16 numbers")
struct BFloat16ProductTests {
  private func sample(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix<Float> {
    var random = SplitMix64(seed: seed)
    return Matrix(
      rows: rows,
      columns: columns,
      storage: (0..<rows * columns).map { _ in Float.random(in: -2...2, using: &random) }
    )
  }

  @Test("rounding takes the nearest, and of two the even one")
  func rounding() {
    let half = Float(1) + 0x1p-8  // Between 1 and 1 + 2⁻⁷.
    let numbers: [Float] = [1, half, half.nextUp, 1 + 0x1.8p-7, -half, 0, 3e38, .infinity, .nan]
    let matrix = BFloat16Matrix(rounding: Matrix(rows: 1, columns: 9, storage: numbers))
    let back = matrix.widened.storage
    #expect(back.prefix(6) == [1, 1, 1 + 0x1p-7, 1 + 0x1p-6, -1, 0])
    #expect(abs(back[6] / 3e38 - 1) <= 0x1p-8)
    #expect(back[7] == .infinity && back[8].isNaN)
  }

  @Test(
    "are those of the rounded factors in double precision, up to the sums",
    arguments: [(1, 1, 1), (3, 5, 7), (33, 70, 129), (300, 257, 96), (1040, 300, 64)],
    [false, true]
  )
  func product(shape: (m: Int, n: Int, k: Int), isTransposed: Bool) {
    let (m, n, k) = shape
    let left = sample(m, k, seed: 1)
    let right = isTransposed ? sample(n, k, seed: 2) : sample(k, n, seed: 2)
    let rounded = BFloat16Matrix(rounding: right)
    let offset = sample(1, n, seed: 3).storage
    for keeping in [Float(0), 1] {
      var result = sample(m, n, seed: 4)
      if keeping == 0 { result.storage[0] = .nan }
      let before = result
      multiply(
        left,
        rounded,
        isTransposed: isTransposed,
        keeping: keeping,
        adding: offset,
        into: &result
      )
      let (a, b) = (BFloat16Matrix(rounding: left).widened, rounded.widened)
      for row in stride(from: 0, to: m, by: 7) {
        for column in 0..<n {
          var sum = Double(offset[column])
          if keeping != 0 { sum += Double(keeping * before[row, column]) }
          for inner in 0..<k {
            let factor = isTransposed ? b[column, inner] : b[inner, column]
            sum += Double(a[row, inner]) * Double(factor)
          }
          let error = abs(Double(result[row, column]) - sum)
          #expect(error <= 4e-6 * Double(k).squareRoot() * 4, "\(row), \(column)")
        }
      }
    }
  }

  @Test("do not depend on the number of threads")
  func threads() {
    let left = sample(700, 96, seed: 5)
    let right = BFloat16Matrix(rounding: sample(96, 300, seed: 6))
    @Sendable func product() -> [Float] {
      var result = Matrix<Float>(rows: 700, columns: 300)
      multiply(left, right, isTransposed: false, into: &result)
      return result.storage
    }
    let several = product()
    // Inside a parallel region everything stays on one thread.
    let alone = concurrentMap(count: 2) { _ in product() }
    #expect(alone.allSatisfy { $0 == several })
  }
}
