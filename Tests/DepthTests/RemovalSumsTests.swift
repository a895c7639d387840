import Depth
import LinearAlgebra
import TestKit
import Testing

@Suite("Predicted rise of a removal")
struct RemovalSumsTests {
  private static let (tokens, width) = (1500, 4)

  /// Tokens of which `u` depends on `x` and noise, with means.
  private struct Sample {
    var x: Matrix<Float>
    var u: Matrix<Float>
    var g: Matrix<Float>

    init(noise: Float, constant: Float) {
      var generator = SplitMix64(seed: 5)
      func random(_ rows: Int, shift: Float = 0) -> Matrix<Float> {
        Matrix(
          rows: rows,
          columns: width,
          storage: (0..<rows * width).map { _ in
            shift + Float.random(in: -1...1, using: &generator)
          }
        )
      }
      (x, u, g) = (random(tokens, shift: 0.5), random(tokens), random(tokens))
      let map = random(width)
      for token in 0..<tokens {
        for row in 0..<width {
          u[token, row] = noise * u[token, row] + constant
          for column in 0..<width { u[token, row] += map[row, column] * x[token, column] }
          g[token, row] += 0.3 * g[token, 0]
        }
      }
    }

    /// `½ tr(G S)`, token by token, for updates that a map makes up for.
    func rise(_ emulator: Emulator?) -> Double {
      var (gradients, residuals) = (
        Matrix<Double>(rows: width, columns: width), Matrix<Double>(rows: width, columns: width)
      )
      for token in 0..<tokens {
        let left = (0..<width).map { row in
          var value = Double(u[token, row]) - (emulator?.bias?[row] ?? 0)
          for column in 0..<width {
            value -= (emulator?.map[row, column] ?? 0) * Double(x[token, column])
          }
          return value
        }
        for row in 0..<width {
          for column in 0..<width {
            residuals[row, column] += left[row] * left[column] / Double(tokens)
            gradients[row, column] +=
              Double(g[token, row]) * Double(g[token, column]) / Double(tokens)
          }
        }
      }
      return gradients.inner(residuals) / 2
    }

    func sums(hasRepair: Bool, hasBias: Bool) -> RemovalSums {
      var sums = RemovalSums(width: width, hasRepair: hasRepair, hasBias: hasBias)
      for rows in [0..<700, 700..<tokens] {
        func part(_ matrix: Matrix<Float>) -> Matrix<Float> {
          matrix.selecting(rows: Array(rows), columns: Array(0..<width))
        }
        sums.add(inputs: hasRepair ? part(x) : nil, updates: part(u), gradients: part(g))
      }
      return sums
    }
  }

  @Test(
    "it is half the mean of the gradients' form over what the map leaves",
    arguments: [false, true]
  )
  func repaired(hasBias: Bool) throws {
    let sample = Sample(noise: 0.4, constant: 0.7)
    var sums = EmulatorSums(width: Self.width)
    let ones = [Double](repeating: 1, count: Self.tokens)
    sums.add(inputs: sample.x, updates: sample.u, weights: ones)
    let emulator = try Emulator(.full, sums, ridge: 1e-3, hasBias: hasBias)
    let rise = try sample.sums(hasRepair: true, hasBias: hasBias).predictedRise()
    let expected = sample.rise(emulator)
    #expect(expected > 0.01)
    // Sums of 1500 doubles in another order.
    #expect(abs(rise - expected) <= 1e-10 * expected)
    #expect(rise < sample.rise(nil))
  }

  @Test("without anything before the unit nothing makes up for it")
  func bare() throws {
    let sample = Sample(noise: 0.4, constant: 0.7)
    let expected = sample.rise(nil)
    let rise = try sample.sums(hasRepair: false, hasBias: true).predictedRise()
    #expect(abs(rise - expected) <= 1e-10 * expected)
  }

  @Test("what a map makes up for costs nothing but what the ridge leaves")
  func exact() throws {
    let sample = Sample(noise: 0, constant: 0.7)
    let rise = try sample.sums(hasRepair: true, hasBias: true).predictedRise()
    #expect(rise >= 0)
    #expect(rise <= 1e-5 * sample.rise(nil))
    // A constant that nothing can hold stays.
    #expect(try sample.sums(hasRepair: true, hasBias: false).predictedRise() > 100 * rise)
  }

  @Test("a unit that adds nothing costs nothing, and what overflows is told")
  func limits() throws {
    var sample = Sample(noise: 0.4, constant: 0)
    sample.u = Matrix(rows: Self.tokens, columns: Self.width)
    #expect(try sample.sums(hasRepair: true, hasBias: true).predictedRise() == 0)
    sample.g[3, 1] = .infinity
    let sums = sample.sums(hasRepair: true, hasBias: true)
    #expect(throws: DepthError.self) { try sums.predictedRise() }
    let nothing = RemovalSums(width: 2, hasRepair: false, hasBias: false)
    #expect(throws: DepthError.self) { try nothing.predictedRise() }
  }
}
