import Curvature
import LinearAlgebra
import Pruning
import Testing

@Suite("Layer-local methods")
struct RivalTests {
  static let targets: [LayerwiseTarget] = [
    .share(0.5), .share(0.7), .pattern(kept: 2, of: 4), .pattern(kept: 3, of: 8),
  ]
  static let methods: [Method] = [.wanda, .sparsegpt, .alps]

  private func solve(
    _ method: Method,
    _ problem: LayerwiseProblem,
    _ target: LayerwiseTarget
  ) throws -> LayerwiseSolution {
    switch method {
    case .wanda: try Wanda(problem).solve(target)
    case .sparsegpt: try SparseGPT(problem, damping: 0.01).solve(target)
    default: try ALPS(problem, damping: 0.01).solve(target)
    }
  }

  private func removed(_ solution: LayerwiseSolution) -> Int {
    solution.support.storage.count { $0 == 0 }
  }

  @Test("Wanda removes what a sort of each row puts first and keeps the rest", arguments: 1...4)
  func wanda(seed: Int) throws {
    let problem = try layerwiseProblem(seed, rows: 6, inputs: 20)
    let solution = try Wanda(problem).solve(.share(0.35))  // 7 of 20.
    for row in 0..<6 {
      let scores = (0..<20).map { column in
        abs(Double(problem.weights[row, column]))
          * Double(problem.moment[column, column]).squareRoot()
      }
      let flags = least(7, of: scores)
      for column in 0..<20 {
        #expect(
          solution.weights[row, column] == (flags[column] ? 0 : problem.weights[row, column])
        )
        #expect(solution.support[row, column] == (flags[column] ? 0 : 1))
      }
    }
  }

  @Test("Wanda keeps the N best of each block", arguments: [(2, 4), (1, 4), (5, 8)])
  func wandaBlocks(kept: Int, size: Int) throws {
    let problem = try layerwiseProblem(7, rows: 5, inputs: 40)
    let solution = try Wanda(problem).solve(.pattern(kept: kept, of: size))
    for row in 0..<5 {
      for start in stride(from: 0, to: 40, by: size) {
        let scores = (start..<start + size).map { column in
          abs(Double(problem.weights[row, column]))
            * Double(problem.moment[column, column]).squareRoot()
        }
        let flags = least(size - kept, of: scores)
        #expect((0..<size).allSatisfy { (solution.support[row, start + $0] == 0) == flags[$0] })
      }
    }
  }

  @Test("SparseGPT is the naive sweep that inverts anew for every column", arguments: [0.5, 0.7])
  func sparseGPT(share: Double) throws {
    // Two blocks of columns: 128 and 12.
    let problem = try layerwiseProblem(3, rows: 9, inputs: 140)
    let solution = try SparseGPT(problem, damping: 0.01).solve(.share(share))
    let naive = naiveSparseGPT(problem, damping: 0.01, blockWidth: 128) { columns, scores in
      let number =
        Int((share * Double(9 * columns.upperBound)).rounded())
        - Int((share * Double(9 * columns.lowerBound)).rounded())
      let flags = least(number, of: scores.flatMap { $0 })
      return (0..<9).map { row in Array(flags[row * columns.count..<(row + 1) * columns.count]) }
    }
    expectAgreement(solution, naive)
  }

  @Test(
    "SparseGPT chooses each block of a pattern when it gets there",
    arguments: [(2, 4), (2, 3)]
  )
  func sparseGPTBlocks(kept: Int, size: Int) throws {
    let problem = try layerwiseProblem(4, rows: 7, inputs: 132)
    let solution = try SparseGPT(problem, damping: 0.01).solve(.pattern(kept: kept, of: size))
    let naive = naiveSparseGPT(
      problem,
      damping: 0.01,
      blockWidth: 128 / size * size,
      removed: { _, scores in scores.map { least(size - kept, of: $0) } },
      group: size
    )
    expectAgreement(solution, naive)
  }

  private func expectAgreement(
    _ solution: LayerwiseSolution,
    _ naive: (weights: [[Double]], removed: [[Bool]])
  ) {
    #expect(solution.support.storage.map { $0 == 0 } == naive.removed.flatMap { $0 })
    // Single precision over a hundred updates of weights near one.
    #expect(distance(solution.weights.doubles, naive.weights.flatMap { $0 }) < 1e-4)
  }

  @Test("ALPS finds the best of all supports of a small row, or nearly")
  func alpsOptimum() throws {
    var exact = 0
    var ratios: [Double] = []
    for seed in 1...20 {
      let problem = try layerwiseProblem(seed, rows: 1, inputs: 10)
      let solution = try ALPS(problem, damping: 0.01).solve(.share(0.5))
      let best = bestRowError(problem, kept: 5, damping: 0.01)
      let found = dampedError(problem, solution.weights.doubles, damping: 0.01)
      #expect(found >= best * (1 - 1e-4))
      if found <= best * 1.0001 { exact += 1 }
      ratios.append(found / best)
    }
    // Optimal for most rows; ten columns leave its penalty few steps between all and nothing.
    #expect(exact >= 11 && ratios.reduce(0, +) / 20 < 1.25, "\(exact) of 20, \(ratios.sorted())")
  }

  @Test("ALPS leaves the best weights on its support", arguments: 1...5)
  func alpsWeights(seed: Int) throws {
    let problem = try layerwiseProblem(seed, rows: 1, inputs: 16)
    let solution = try ALPS(problem, damping: 0.01).solve(.share(0.5))
    let support = (0..<16).filter { solution.support[0, $0] == 1 }
    let best = exactRow(problem, support, damping: 0.01)
    // Ten steps of conjugate gradients for eight unknowns.
    #expect(distance(solution.weights.doubles, best) < 1e-3)
  }

  @Test("each method does better on the layer's output than the one before", arguments: targets)
  func order(target: LayerwiseTarget) throws {
    for seed in 1...3 {
      let problem = try layerwiseProblem(seed, rows: 24, inputs: 96)
      let errors = try Self.methods.map {
        problem.outputError(of: try solve($0, problem, target).weights)
      }
      #expect(errors[0] > errors[1] && errors[1] > errors[2] && errors[2] > 0, "\(errors)")
    }
  }

  @Test("inputs that are always zero keep no weights that others could have", arguments: methods)
  func deadInputs(method: Method) throws {
    let problem = try layerwiseProblem(5, rows: 11, inputs: 40, dead: [3, 17, 20])
    let solution = try solve(method, problem, .share(0.5))
    for row in 0..<11 {
      for column in [3, 17, 20] {
        #expect(solution.weights[row, column] == 0)
        #expect(solution.support[row, column] == 0)
      }
    }
  }

  @Test("the number removed is exact, and patterns hold", arguments: methods, targets)
  func counts(method: Method, target: LayerwiseTarget) throws {
    let problem = try layerwiseProblem(5, rows: 11, inputs: 152, dead: [3, 17])
    let solution = try solve(method, problem, target)
    #expect(
      zip(solution.weights.storage, solution.support.storage).allSatisfy { $1 != 0 || $0 == 0 }
    )
    switch target {
    case .share(let share):
      #expect(removed(solution) == Int((share * 11 * 152).rounded()))
    case .pattern(let kept, let size):
      for start in stride(from: 0, to: solution.support.storage.count, by: size) {
        let ones = solution.support.storage[start..<start + size].count { $0 == 1 }
        #expect(ones == kept)
      }
    }
  }

  @Test("what was removed before stays removed and counts", arguments: methods, targets)
  func initial(method: Method, target: LayerwiseTarget) throws {
    var mask = LayerMask(outputs: 6, inputs: 24)
    for column in 0..<6 { mask.removeElement(row: 1, column: column) }
    mask.removeElement(row: 3, column: 20)
    let problem = try layerwiseProblem(6, rows: 6, inputs: 24, initial: mask)
    let solution = try solve(method, problem, target)
    for row in 0..<6 {
      for column in 0..<24 where !mask.keeps(row: row, column: column) {
        #expect(solution.support[row, column] == 0 && solution.weights[row, column] == 0)
      }
    }
    if case .share(let share) = target {
      #expect(removed(solution) == Int((share * 144).rounded()))
    }
  }

  @Test("the bits do not depend on the number of threads", arguments: methods, targets)
  func threads(method: Method, target: LayerwiseTarget) throws {
    let problem = try layerwiseProblem(8, rows: 150, inputs: 264)
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    Parallelism.threads = 1
    let single = try solve(method, problem, target)
    Parallelism.threads = 4
    let several = try solve(method, problem, target)
    #expect(single.weights == several.weights && single.support == several.support)
  }

  @Test("a whole layer keeps its bias, and its mask says what is zero", arguments: methods)
  func layer(method: Method) throws {
    let problem = try sampleProblem(9, rows: 8, inputs: 16, hasBias: true)
    let factors = try #require(problem.factors)
    let settings = try PruningSettings(structure: .element, method: method, target: 0.5)
    let outcome = try problem.prunedLayerwise(
      activations: factors.activations,
      share: 0.5,
      settings: settings
    )
    for row in 0..<8 { #expect(outcome.weights[row, 16] == problem.weights[row, 16]) }
    #expect(outcome.mask.removedWeights == 64)
    for row in 0..<8 {
      for column in 0..<16 where !outcome.mask.keeps(row: row, column: column) {
        #expect(outcome.weights[row, column] == 0)
      }
    }
    let errors = try #require(outcome.outputErrors)
    #expect(
      method == .wanda ? errors.repaired == errors.zeroedOnly : errors.repaired < errors.zeroedOnly
    )
  }

  @Test("activations that cannot be used are refused")
  func refusals() throws {
    let problem = try sampleProblem(1, rows: 3, inputs: 4)
    let settings = try PruningSettings(structure: .element, method: .wanda, target: 0.5)
    for storage in [[Float](repeating: .nan, count: 16), [-1] + [Float](repeating: 0, count: 15)] {
      #expect(throws: PruningError.self) {
        try problem.prunedLayerwise(
          activations: Matrix(rows: 4, columns: 4, storage: storage),
          share: 0.5,
          settings: settings
        )
      }
    }
    #expect(throws: PruningError.self) {
      try problem.prunedLayerwise(
        activations: Matrix(rows: 5, columns: 5),
        share: 0.5,
        settings: settings
      )
    }
    let pattern = try PruningSettings(structure: .nm(kept: 2, of: 3), method: .wanda)
    #expect(throws: PruningError.blocksDoNotFit(layer: "layer 1", inputs: 4, block: 3)) {
      try problem.prunedLayerwise(
        activations: .init(rows: 4, columns: 4),
        share: 0.5,
        settings: pattern
      )
    }
  }
}
