import RealModule
import Testing

@testable import Transformer

@Suite("Vector functions")
struct VectorMathTests {
  @Test("the exponential is within two units in the last place")
  func exponentialError() {
    var worst = 0.0
    for step in 0...870_000 {
      let x = -Float(step) * 1e-4
      let exact = Double.exp(Double(x))
      worst = max(worst, abs(Double(exponential(x)) - exact) / Double(Float(exact).ulp))
    }
    #expect(worst <= 2)
    #expect(exponential(0) == 1)
  }

  @Test("the exponential of what single precision cannot hold is zero, of NaN is NaN")
  func exponentialEdges() {
    #expect(exponential(-87.5) == 0)
    #expect(exponential(-.greatestFiniteMagnitude) == 0)
    #expect(exponential(-.infinity) == 0)
    #expect(exponential(.nan).isNaN)
  }

  @Test("activations and their derivatives agree with their formulas")
  func activations() {
    for step in -400...400 {
      let x = Double(step) / 8
      let s = 1 / (1 + Double.exp(-x))
      let silu = Double(Activation.silu.value(Float(x)))
      let slope = Double(Activation.silu.derivative(Float(x)))
      // Two roundings of a value no larger than |x|, or 1 + |x|.
      #expect(abs(silu - x * s) <= 4e-7 * abs(x * s))
      #expect(abs(slope - s * (1 + x * (1 - s))) <= 4e-7 * (1 + abs(x)))
      #expect(Activation.relu.value(Float(x)) == Float(max(x, 0)))
      #expect(Activation.relu.derivative(Float(x)) == (x > 0 ? 1 : 0))
    }
    #expect(Activation.relu.value(.nan).isNaN)
    #expect(Activation.silu.value(.nan).isNaN)
  }

  @Test(
    "maxima and sums of any part agree with the sequential ones",
    arguments: [1, 3, 4, 63, 1200]
  )
  func reductions(count: Int) {
    var numbers = Numbers(state: UInt64(count))
    var values = numbers.row(count + 10, scale: 20).map(Float.init)
    let range = 7..<7 + count
    let greatest = values[range].max() ?? 0
    let expected = values[range].map { Double.exp(Double($0 - greatest)) }
    let before = values
    var span = values.mutableSpan
    let found = maximum(span, range)
    #expect(found == greatest)
    let sum = exponentiate(&span, range, minus: greatest)
    // Each term within two units in the last place, and at most 512 of them in single precision.
    #expect(abs(sum - expected.reduce(0, +)) <= 64 * 6e-8 * expected.reduce(0, +))
    #expect(Array(values[..<7]) == Array(before[..<7]))
    #expect(Array(values[(7 + count)...]) == Array(before[(7 + count)...]))
  }
}
