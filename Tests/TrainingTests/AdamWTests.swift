import ExactJSON
import Foundation
import LinearAlgebra
import Testing

@testable import Training

@Suite("AdamW")
struct AdamWTests {
  @Test("moves values as the reference implementation does", arguments: 0..<3)
  func reference(number: Int) throws {
    let root = try #require(Bundle.module.resourceURL)
    let url = root.appending(path: "Golden").appending(path: "adamw.json")
    let golden = try JSONParser.parse([UInt8](try Data(contentsOf: url)))
    func floats(_ value: JSONValue?) throws -> [Float] {
      try #require(value?.array).compactMap(\.double).map(Float.init)
    }
    let run = try #require(golden["runs"]?.array)[number]
    var settings = AdamW()
    settings.weightDecay = try #require(run["decay"]?.double)
    settings.largestNorm = run["clip"]?.double
    var parameters = [Parameter("values", try floats(golden["start"]), decays: true)]
    for (step, slope) in try #require(golden["gradients"]?.array).enumerated() {
      var gradients = Gradients(of: parameters)
      // Half of the gradient twice, at twice the scale: sums and scales cancel.
      for _ in 0..<2 { gradients.add(try floats(slope).map { $0 / 4 }, to: 0) }
      try settings.update(
        &parameters,
        gradients,
        step: step + 1,
        rate: try #require(golden["rate"]?.double),
        scale: 2
      )
    }
    let expected = try floats(run["end"])
    for (value, end) in zip(parameters[0].values, expected) {
      // Seven steps, each with some ten roundings of numbers below 2.
      #expect(abs(value - end) <= 7 * 10 * 2 * Float.ulpOfOne)
    }
  }

  @Test("a pruned entry whose gradient is zero stays zero, decay or not")
  func zero() throws {
    var settings = AdamW()
    settings.weightDecay = 0.1
    var parameters = [Parameter("values", [0, 1], decays: true)]
    for step in 1...20 {
      var gradients = Gradients(of: parameters)
      gradients.add([0, 1], to: 0)
      try settings.update(&parameters, gradients, step: step, rate: 0.1)
    }
    #expect(parameters[0].values[0] == 0)
    #expect(parameters[0].values[1] < 0)
  }

  @Test("values that do not decay are left by a zero gradient")
  func noDecay() throws {
    var settings = AdamW()
    settings.weightDecay = 0.5
    var parameters = [Parameter("bias", [1], decays: false), Parameter("w", [1], decays: true)]
    try settings.update(&parameters, Gradients(of: parameters), step: 1, rate: 0.1)
    #expect(parameters[0].values == [1])
    #expect(parameters[1].values == [0.95])
  }

  @Test("a gradient that is no number is refused by name")
  func notFinite() throws {
    var parameters = [Parameter("a", [1], decays: true), Parameter("b", [1], decays: true)]
    var gradients = Gradients(of: parameters)
    gradients.add([.nan], to: 1)
    #expect(throws: TrainingError.gradientNotFinite(parameter: "b", step: 3)) {
      try AdamW().update(&parameters, gradients, step: 3, rate: 0.1)
    }
  }

  @Test("copies of what is trained stay as they were")
  func copies() throws {
    var parameters = [Parameter("a", [1, 2, 3], decays: true)]
    for step in 1...3 {
      let before = parameters
      var gradients = Gradients(of: parameters)
      gradients.add([1, -2, 3], to: 0)
      try AdamW().update(&parameters, gradients, step: step, rate: 0.1)
      let shape = (before[0].values.map { $0 }, before[0].mean.map { $0 })
      #expect(parameters[0].values != shape.0 && parameters[0].mean != shape.1)
      #expect(step > 1 || before[0] == Parameter("a", [1, 2, 3], decays: true))
    }
  }

  @Test("results do not depend on the number of threads")
  func threads() throws {
    func run(threads: Int) throws -> [Parameter] {
      let before = Parallelism.threads
      Parallelism.threads = threads
      defer { Parallelism.threads = before }
      var parameters = (0..<9).map { number in
        Parameter("\(number)", (0..<100).map { Float($0 * number) / 7 }, decays: true)
      }
      for step in 1...3 {
        var gradients = Gradients(of: parameters)
        for index in 0..<9 { gradients.add(parameters[index].values.map { $0 / 3 }, to: index) }
        var settings = AdamW()
        settings.largestNorm = 1
        try settings.update(&parameters, gradients, step: step, rate: 0.1)
      }
      return parameters
    }
    #expect(try run(threads: 1) == run(threads: 3))
  }
}

@Suite("Learning rate")
struct LearningRateTests {
  @Test("rises to the peak, then falls as named; no step is wasted")
  func course() throws {
    let linear = try LearningRate(peak: 1, shape: .linear, warmUp: 0.25, steps: 8)
    let expected: [Double] = [2, 4, 6, 5, 4, 3, 2, 1].map { $0 / 6 }
    for (step, rate) in expected.enumerated() {
      let gap = linear.rate(step: step + 1) - rate
      #expect(abs(gap) <= 1e-15)
    }
    let cosine = try LearningRate(peak: 2, shape: .cosine, warmUp: 0, steps: 4, floor: 0.1)
    // 0.1 + 0.9 (1 − cos(π left)) / 2 at left = 1, ¾, ½, ¼.
    let half = 0.5.squareRoot()
    let heights: [Double] = [1, (1 + half) / 2, 0.5, (1 - half) / 2]
    for (step, height) in heights.enumerated() {
      let rate = 2 * (0.1 + 0.9 * height)
      #expect(abs(cosine.rate(step: step + 1) - rate) <= 1e-15)
    }
    let constant = try LearningRate(peak: 3, shape: .constant, warmUp: 0, steps: 2)
    #expect((1...2).map { constant.rate(step: $0) } == [3, 3])
  }

  @Test("settings out of range are refused")
  func refused() {
    let wrong: [(peak: Double, warmUp: Double, steps: Int, floor: Double)] = [
      (0, 0.1, 5, 0), (.nan, 0.1, 5, 0), (1, 1, 5, 0), (1, -0.1, 5, 0), (1, 0, 0, 0),
      (1, 0, 5, 1.5),
    ]
    for (peak, warmUp, steps, floor) in wrong {
      #expect(throws: TrainingError.self) {
        try LearningRate(peak: peak, shape: .linear, warmUp: warmUp, steps: steps, floor: floor)
      }
    }
  }
}
