import Curvature
import LinearAlgebra
import Pruning
import Testing

/// How far a loss, relative to itself, can be off by the rounding of a repair.
///
/// The products are single precision, 6e-8, and the samples' damped curvature is conditioned by up to
/// about 1e3: differences below this are no differences to the solver.
private let lossNoise = 1e-4

@Suite("Exchanges after the last step")
struct ExchangeTests {
  static let damping = (activations: 0.01, gradients: 0.02)
  static let structures: [Structure] = [
    .element, .nm(kept: 2, of: 4), .nm(kept: 1, of: 4), .nm(kept: 4, of: 8), .nm(kept: 8, of: 16),
  ]

  /// Repairs run to the end, so that what is compared are the masks.
  static func settings(_ structure: Structure, exchanges: Int) throws -> PruningSettings {
    let target = structure == .element ? 0.6 : structure.largestShare
    var settings = try PruningSettings(structure: structure, target: target)
    settings.damping = Damping(activations: damping.activations, gradients: damping.gradients)
    settings.finalRepair = ConjugateGradientLimits(iterations: 500, tolerance: 0)
    settings.exchanges = exchanges
    return settings
  }

  /// The damped loss of all layers.
  static func loss(_ problems: [LayerProblem], _ outcomes: [LayerOutcome]) throws -> Double {
    try zip(problems, outcomes).reduce(0) { sum, layer in
      let model = DenseModel(try #require(layer.0.factors), damping: damping)
      return sum + model.loss(change(layer.0, layer.1.weights.doubles))
    }
  }

  static func change(_ problem: LayerProblem, _ weights: [Double]) -> [Double] {
    zip(weights, problem.weights.doubles).map { $0 - $1 }
  }

  @Test("more exchanges never raise the predicted loss, and some lower it", arguments: structures)
  func neverWorse(structure: Structure) throws {
    var lowered = 0
    for seed in 1...4 {
      let problems = try (0..<2).map {
        try sampleProblem(2 * seed + $0, rows: 6, inputs: 16, hasBias: $0 == 1)
      }
      var before = Double.infinity
      for exchanges in [0, 1, 2, 3, 12] {
        let settings = try Self.settings(structure, exchanges: exchanges)
        let loss = try Self.loss(problems, try prune(problems, settings).outcomes)
        #expect(loss <= before * (1 + lossNoise))
        if exchanges > 0, loss < before * (1 - 10 * lossNoise) { lowered += 1 }
        before = loss
      }
    }
    #expect(lowered > 0)
  }

  @Test("exchanges remove as much as before", arguments: structures)
  func count(structure: Structure) throws {
    let problems = try (1...3).map { try sampleProblem($0, rows: 16, inputs: 32, hasBias: true) }
    let counts = try [0, 6].map { exchanges in
      try prune(problems, try Self.settings(structure, exchanges: exchanges)).plan.removedShare
    }
    #expect(counts[0] == counts[1])
  }

  @Test("in the end no choice of one block alone is better", arguments: ["2:4", "1:4", "2:3"])
  func fixedPoint(name: String) throws {
    let structure = try Structure(name)
    guard case .nm(let kept, let size) = structure else { return }
    func leastShare(_ seed: Int, exchanges: Int) throws -> Double {
      let problem = try sampleProblem(seed, rows: 3, inputs: 2 * size, hasBias: seed % 2 == 0)
      let outcome = try #require(
        try prune([problem], try Self.settings(structure, exchanges: exchanges)).outcomes.first
      )
      let rechoices = try Rechoices(problem, outcome)
      return try (0..<6).flatMap { block in
        let start = block / 2 * problem.weights.columns + block % 2 * size
        return try subsets(of: size, count: size - kept).map { set in
          try rechoices.loss(start..<start + size, removing: Set(set.map { start + $0 }))
        }
      }.min().map { $0 / rechoices.loss } ?? 0
    }
    let before = try (1...8).map { try leastShare($0, exchanges: 0) }
    #expect(before.contains { $0 < 1 - 10 * lossNoise })
    for seed in 1...8 {
      let share = try leastShare(seed, exchanges: 100)
      #expect(share >= 1 - lossNoise)
    }
  }

  @Test("in a block with very many masks no exchange of two weights is better", arguments: 1...3)
  func largeBlocks(seed: Int) throws {
    let problem = try sampleProblem(seed, rows: 2, inputs: 16)
    let settings = try Self.settings(.nm(kept: 8, of: 16), exchanges: 100)
    let outcome = try #require(try prune([problem], settings).outcomes.first)
    let rechoices = try Rechoices(problem, outcome)
    for row in 0..<2 {
      let (removed, kept) = (0..<16).reduce(into: ([Int](), [Int]())) { sets, column in
        let isKept = outcome.mask.keeps(row: row, column: column)
        if isKept { sets.1.append(16 * row + column) } else { sets.0.append(16 * row + column) }
      }
      for out in removed {
        for other in kept {
          let set = Set(removed).subtracting([out]).union([other])
          let loss = try rechoices.loss(16 * row..<16 * row + 16, removing: set)
          #expect(loss >= rechoices.loss * (1 - lossNoise))
        }
      }
    }
  }

  @Test("what was removed before stays removed", arguments: structures)
  func earlier(structure: Structure) throws {
    let sample = try sampleProblem(3, rows: 8, inputs: 16, hasBias: true)
    var mask = sample.mask
    mask.remove(columns: [5])
    for row in 0..<8 { mask.removeElement(row: row, column: row) }
    var weights = sample.weights
    mask.apply(to: &weights)
    let problem = try LayerProblem(
      name: "layer",
      weights: weights,
      hasBias: true,
      factors: sample.factors,
      mask: mask
    )
    let outcome = try #require(
      try prune([problem], try Self.settings(structure, exchanges: 20)).outcomes.first
    )
    var union = outcome.mask
    union.formUnion(mask)
    #expect(union == outcome.mask)
    guard case .nm(let kept, let size) = structure else { return }
    for row in 0..<8 {
      for block in 0..<16 / size {
        let count = (block * size..<(block + 1) * size).count {
          outcome.mask.keeps(row: row, column: $0)
        }
        #expect(count <= kept)
      }
    }
  }

  @Test("the pull is the gradient of the damped loss, kept or not")
  func pull() throws {
    let problem = try sampleProblem(6, rows: 3, inputs: 4)
    let factors = try #require(problem.factors)
    let model = DenseModel(factors, damping: Self.damping)
    func added(_ matrix: Matrix<Float>, _ share: Double) -> [Double] {
      let mean = matrix.widened().diagonal.reduce(0, +) / Double(matrix.rows)
      return [Double](repeating: share * mean, count: matrix.rows)
    }
    let repair = MaskedRepair<Double>(
      activations: factors.activations.widened(),
      gradients: factors.gradients.widened(),
      added: (
        added(factors.activations, Self.damping.activations),
        added(factors.gradients, Self.damping.gradients)
      ),
      kept: Matrix(rows: 3, columns: 4, repeating: 1)
    )
    var random = Random(2)
    let solution = random.matrix(3, 4).widened()
    let pull = repair.pull(weights: problem.weights.widened(), solution: solution)
    let change = Self.change(problem, solution.storage)
    for (place, row) in model.curvature.enumerated() {
      let gradient = zip(row, change).reduce(0) { $0 + $1.0 * $1.1 }
      let size = zip(row, change).reduce(0) { $0 + abs($1.0 * $1.1) }
      #expect(abs(pull.storage[place] + gradient) <= 100 * size * .ulpOfOne)
    }
  }
}

/// What a layer would lose with another choice in one block and everything else held.
private struct Rechoices {
  let model: DenseModel
  /// The change of each weight in the outcome.
  let change: [Double]
  let weights: [Double]
  /// The loss of the outcome.
  let loss: Double

  init(_ problem: LayerProblem, _ outcome: LayerOutcome) throws {
    model = DenseModel(try #require(problem.factors), damping: ExchangeTests.damping)
    weights = problem.weights.doubles
    change = ExchangeTests.change(problem, outcome.weights.doubles)
    loss = model.loss(change)
  }

  /// The least loss over the kept weights of the block.
  func loss(_ block: Range<Int>, removing removed: Set<Int>) throws -> Double {
    var result = change
    for index in removed { result[index] = -weights[index] }
    let free = block.filter { !removed.contains($0) }
    let held = change.indices.filter { !free.contains($0) }
    let right = free.map { i in held.reduce(0) { $0 - model.curvature[i][$1] * result[$1] } }
    let best = solveDense(free.map { i in free.map { model.curvature[i][$0] } }, right)
    for (place, index) in free.enumerated() { result[index] = best[place] }
    return model.loss(result)
  }
}
