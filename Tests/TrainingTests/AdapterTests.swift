import LinearAlgebra
import Pruning
import TestKit
import Testing

@testable import Training

/// A random matrix of which a pattern is pruned, with random factors.
struct Sample {
  let weight: Matrix<Float>
  let adapter: Adapter
  var a: [Float]
  var b: [Float]

  init(_ kind: AdapterKind, outputs: Int = 6, inputs: Int = 8, rank: Int = 3) throws {
    var numbers = SplitMix64(seed: 5)
    func draw(_ count: Int) -> [Float] {
      (0..<count).map { _ in Float.random(in: -1...1, using: &numbers) }
    }
    var entries = draw(outputs * inputs)
    // 2 of 4 kept, and one kept weight of each row that could be taken for pruned by its size.
    for index in entries.indices where kind != .lora && index % 4 < 2 { entries[index] = 0 }
    weight = Matrix(rows: outputs, columns: inputs, storage: entries)
    let shape = try AdapterShape(rank: rank, alpha: 2)
    adapter = try Adapter(kind, "layer", of: weight, shape)
    (a, b) = (draw(rank * inputs), draw(outputs * rank))
  }

  var effective: Matrix<Float> { adapter.effective(weight, a: a, b: b) }
}

@Suite("Adapters")
struct AdapterTests {
  static let zeroKeeping = AdapterKind.allCases.filter { $0 != .lora }

  @Test("nothing changes at the start", arguments: AdapterKind.allCases)
  func start(kind: AdapterKind) throws {
    let sample = try Sample(kind, rank: 4)
    let start = sample.adapter.start(seed: 1)
    let effective = sample.adapter.effective(sample.weight, a: start.a, b: start.b)
    // ScaleLoRA: four products of ½ · ½, which are exact.
    #expect(effective == sample.weight)
    #expect(kind == .scaleLoRA || Set(start.a).count > 16)
    #expect(sample.adapter.start(seed: 1) == start)
    #expect(kind == .scaleLoRA || sample.adapter.start(seed: 2).a != start.a)
  }

  @Test("the effective matrix is the formula", arguments: AdapterKind.allCases)
  func formula(kind: AdapterKind) throws {
    let sample = try Sample(kind)
    let effective = sample.effective
    let s = kind == .scaleLoRA ? 1.0 : 2.0 / 3
    for row in 0..<6 {
      for column in 0..<8 {
        let w = Double(sample.weight[row, column])
        let product = (0..<3).reduce(0.0) {
          $0 + Double(sample.b[row * 3 + $1]) * Double(sample.a[$1 * 8 + column])
        }
        let isKept = w != 0
        let expected =
          switch kind {
          case .lora, .loraPrune: w + s * product
          case .maskLoRA: w + (isKept ? s * product : 0)
          case .scaleLoRA: w * product
          case .spp: w + s * w * product
          }
        // Sums of four terms below 2 in single precision.
        #expect(abs(Double(effective[row, column]) - expected) <= 8 * Double(Float.ulpOfOne))
      }
    }
  }

  @Test("merging keeps every zero, and changes nothing else", arguments: zeroKeeping)
  func merge(kind: AdapterKind) throws {
    let sample = try Sample(kind)
    let merged = try sample.adapter.merged(sample.weight, a: sample.a, b: sample.b)
    for (index, value) in merged.storage.enumerated() {
      #expect((value == 0) == (sample.weight.storage[index] == 0))
    }
    // N:M: no group of four has more than two weights.
    for start in stride(from: 0, to: merged.storage.count, by: 4) {
      #expect(merged.storage[start..<start + 4].count { $0 != 0 } <= 2)
    }
    #expect((merged == sample.effective) == kind.mergesExactly)
  }

  @Test("plain LoRA is refused on a matrix with zeros")
  func refused() throws {
    let weight = Matrix<Float>(rows: 1, columns: 3, storage: [1, 0, 2])
    let shape = try AdapterShape(rank: 1, alpha: 1)
    #expect(throws: TrainingError.fillsZeros(matrix: "layer", zeros: 1)) {
      try Adapter(.lora, "layer", of: weight, shape)
    }
    _ = try Adapter(.lora, "head", of: weight, shape, isPrunable: false)
  }

  @Test("a weight that becomes zero in training is not pruned by it")
  func keptZero() throws {
    var sample = try Sample(.maskLoRA)
    let place = try #require(sample.weight.storage.firstIndex { $0 != 0 })
    // The first kept weight of the first row is cancelled by the product.
    sample.a = [Float](repeating: 0, count: sample.a.count)
    sample.b = [Float](repeating: 0, count: sample.b.count)
    sample.b[0] = 1
    sample.a[place] = -sample.weight.storage[place] * 1.5
    #expect(abs(sample.effective.storage[place]) <= Float.ulpOfOne)
    sample.a[place] = 0.5
    #expect(sample.effective.storage[place] != sample.weight.storage[place])
    #expect(sample.adapter.mask.kept[place])
  }

  @Test("a merged matrix that lost a zero is refused")
  func lostZero() throws {
    let mask = WeightMask(of: [0, 1, 0, 2])
    try mask.check([0, 0, 0, 5], name: "layer")
    #expect(throws: TrainingError.lostZero(matrix: "layer", index: 2)) {
      try mask.check([0, 1, 1e-30, 2], name: "layer")
    }
  }

  @Test("the factors' gradients are difference quotients", arguments: AdapterKind.allCases)
  func gradients(kind: AdapterKind) throws {
    let sample = try Sample(kind)
    var numbers = SplitMix64(seed: 9)
    // The loss is Σ slope ∘ effective + ½ Σ effective²: its gradient is slope + effective.
    let slope = (0..<48).map { _ in Float.random(in: -1...1, using: &numbers) }
    func loss(_ sample: Sample) -> Double {
      zip(sample.effective.storage, slope).reduce(0.0) {
        $0 + Double($1.0) * Double($1.1) + Double($1.0) * Double($1.0) / 2
      }
    }
    var gradient = sample.effective
    for index in gradient.storage.indices { gradient.storage[index] += slope[index] }
    let found = sample.adapter.gradients(
      gradient,
      weight: sample.weight,
      a: sample.a,
      b: sample.b
    )
    let step: Float = 1.0 / 64
    func check(_ path: WritableKeyPath<Sample, [Float]>, _ found: [Float]) {
      for index in found.indices {
        var (up, down) = (sample, sample)
        up[keyPath: path][index] += step
        down[keyPath: path][index] -= step
        // The loss is quadratic in each factor, so the quotient is exact but for the rounding of a
        // sum of some 10 in single precision, divided by the step.
        let quotient = (loss(up) - loss(down)) / Double(2 * step)
        #expect(abs(Double(found[index]) - quotient) <= 1e-4)
      }
    }
    check(\.a, found.a)
    check(\.b, found.b)
  }
}

@Suite("Weight masks")
struct WeightMaskTests {
  @Test("entries are kept where they are not zero", arguments: [1, 63, 64, 65, 20_000])
  func mask(count: Int) {
    let values = (0..<count).map { $0 % 3 == 0 ? 0 : Float($0) }
    let mask = WeightMask(of: values)
    #expect(mask.zeros == (count + 2) / 3)
    var changed = [Float](repeating: 1, count: count)
    mask.apply(to: &changed)
    #expect(changed == values.map { $0 == 0 ? 0 : 1 })
  }
}
