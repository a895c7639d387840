import Depth
import LinearAlgebra
import TestKit
import Testing

@Suite("Emulated updates")
struct EmulatorTests {
  private static let (tokens, width, rank) = (200, 6, 3)

  private static func random(
    _ rows: Int,
    _ columns: Int,
    _ generator: inout SplitMix64
  ) -> Matrix<Float> {
    Matrix(
      rows: rows,
      columns: columns,
      storage: (0..<rows * columns).map { _ in Float.random(in: -1...1, using: &generator) }
    )
  }

  /// Inputs with a mean, and updates that are a map of low rank of them, a constant, and noise.
  private static func planted(noise: Float = 0.1) -> (x: Matrix<Float>, y: Matrix<Float>) {
    var generator = SplitMix64(seed: 1)
    var x = random(tokens, width, &generator)
    for index in x.storage.indices { x.storage[index] += 0.5 }
    let (left, right) = (random(width, rank, &generator), random(rank, width, &generator))
    var y = random(tokens, width, &generator)
    for index in y.storage.indices { y.storage[index] = noise * y.storage[index] + 0.3 }
    for token in 0..<tokens {
      for row in 0..<width {
        for k in 0..<rank {
          for column in 0..<width {
            y[token, row] += left[row, k] * right[k, column] * x[token, column]
          }
        }
      }
    }
    return (x, y)
  }

  private static func sums(
    _ x: Matrix<Float>,
    _ y: Matrix<Float>,
    weights: [Double]? = nil
  ) -> EmulatorSums {
    var sums = EmulatorSums(width: x.columns)
    let ones = [Double](repeating: 1, count: x.rows)
    sums.add(inputs: x, updates: y, weights: weights ?? ones)
    return sums
  }

  /// The weighted mean of `‖y − E x − b‖²`, token by token.
  private static func residual(
    _ emulator: Emulator,
    _ x: Matrix<Float>,
    _ y: Matrix<Float>,
    weights: [Double]? = nil
  ) -> Double {
    let weights = weights ?? [Double](repeating: 1, count: x.rows)
    var total = 0.0
    for token in 0..<x.rows {
      for row in 0..<x.columns {
        var rest = Double(y[token, row]) - (emulator.bias?[row] ?? 0)
        for column in 0..<x.columns {
          rest -= emulator.map[row, column] * Double(x[token, column])
        }
        total += weights[token] * rest * rest
      }
    }
    return total / weights.reduce(0, +)
  }

  @Test("no error exceeds that of a simpler form, and none rises with the rank")
  func forms() throws {
    let (x, y) = Self.planted()
    let sums = Self.sums(x, y)
    func error(_ kind: Emulator.Kind) throws -> Double {
      try Emulator(kind, sums, ridge: 0, hasBias: true).residual
    }
    let none = y.storage.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(Self.tokens)
    let errors = [none, try error(.bias), try error(.diagonal), try error(.full)]
    #expect(zip(errors, errors.dropFirst()).allSatisfy { $0 > $1 })
    let ranks = try (0...Self.width).map { try error(.rank($0)) }
    for (low, high) in zip(ranks, ranks.dropFirst()) { #expect(high <= low + 1e-12) }
    #expect(abs(ranks[0] - errors[1]) <= 1e-12)
    #expect(abs(ranks[Self.width] - errors[3]) <= 1e-12)
    // Beyond the planted rank there is noise alone.
    #expect(ranks[Self.rank] - ranks[Self.width] < 0.1 * (ranks[Self.rank - 1] - ranks[Self.rank]))
  }

  @Test(
    "the residual is that of the map, token by token",
    arguments: [Emulator.Kind.bias, .diagonal, .full, .rank(2)]
  )
  func residuals(kind: Emulator.Kind) throws {
    let (x, y) = Self.planted()
    let weights = (0..<Self.tokens).map { Double($0 % 4) / 3 }
    for hasBias in kind == .bias ? [true] : [true, false] {
      let sums = Self.sums(x, y, weights: weights)
      let emulator = try Emulator(kind, sums, ridge: 0.01, hasBias: hasBias)
      let expected = Self.residual(emulator, x, y, weights: weights)
      #expect(abs(emulator.residual - expected) <= 1e-10)
      #expect((emulator.bias != nil) == hasBias)
    }
  }

  @Test("no map near the full one has a smaller error")
  func optimal() throws {
    let (x, y) = Self.planted()
    let best = try Emulator(.full, Self.sums(x, y), ridge: 0, hasBias: true)
    // At the minimum the errors at both sides of it are equal, so the slope vanishes.
    for (row, column) in [(0, 0), (2, 5), (4, 1)] {
      let at = (0..<Self.tokens).reduce(0.0) { sum, token in
        var rest = Double(y[token, row]) - (best.bias?[row] ?? 0)
        for k in 0..<Self.width { rest -= best.map[row, k] * Double(x[token, k]) }
        return sum + rest * Double(x[token, column])
      }
      #expect(abs(at) <= 1e-9)
    }
  }

  @Test("an update that is linear in the input is emulated exactly")
  func exact() throws {
    let (x, y) = Self.planted(noise: 0)
    let emulator = try Emulator(.rank(Self.rank), Self.sums(x, y), ridge: 0, hasBias: true)
    // Inputs of single precision near 1, whose products were rounded.
    #expect(emulator.residual <= 1e-11)
  }

  @Test(
    "inputs that are always the same explain nothing",
    arguments: [Emulator.Kind.diagonal, .full, .rank(2)]
  )
  func constantInputs(kind: Emulator.Kind) throws {
    let y = Self.planted().y
    let emulator = try Emulator(
      kind,
      Self.sums(Matrix(rows: y.rows, columns: y.columns), y),
      ridge: 1e-3,
      hasBias: true
    )
    #expect(emulator.map == Matrix(rows: Self.width, columns: Self.width))
    #expect(emulator.bias?.allSatisfy { $0 != 0 } == true)
  }

  @Test("tokens without weight are not looked at, whatever they hold")
  func weights() throws {
    let (x, y) = Self.planted()
    var spoiled = x
    var weights = [Double](repeating: 1, count: Self.tokens)
    for token in stride(from: 0, to: Self.tokens, by: 7) {
      weights[token] = 0
      spoiled[token, 0] = .infinity
    }
    let left = try Emulator(.full, Self.sums(x, y, weights: weights), ridge: 0, hasBias: true)
    let right = try Emulator(
      .full,
      Self.sums(spoiled, y, weights: weights),
      ridge: 0,
      hasBias: true
    )
    #expect(left.map == right.map)
  }

  @Test("what cannot be fitted is refused with the reason")
  func refused() {
    let (x, y) = Self.planted()
    let zeros = [Double](repeating: 0, count: Self.tokens)
    #expect(throws: DepthError.fitFailed(reason: "no token has a weight")) {
      try Emulator(.full, Self.sums(x, y, weights: zeros), ridge: 0, hasBias: true)
    }
    var bad = y
    bad[3, 3] = .nan
    #expect(throws: DepthError.fitFailed(reason: "the hidden states overflow")) {
      try Emulator(.full, Self.sums(x, bad), ridge: 0, hasBias: true)
    }
    // One channel alone varies: without a ridge many maps fit alike.
    var flat = Matrix<Float>(rows: Self.tokens, columns: Self.width)
    for token in 0..<Self.tokens { flat[token, 0] = x[token, 0] }
    #expect(throws: DepthError.self) {
      try Emulator(.full, Self.sums(flat, y), ridge: 0, hasBias: true)
    }
  }
}
