import Pruning
import Testing

@Suite("Operations of the solver")
struct SolverWorkTests {
  private let shape = SolverFootprint.Shape(outputs: 60, inputs: 90, hasBias: false)

  private func work(
    _ structure: Structure,
    _ method: Method = .surgeon,
    _ change: (inout PruningSettings) -> Void = { _ in }
  ) throws -> SolverWork {
    var settings = try PruningSettings(structure: structure, method: method, target: 0.5)
    change(&settings)
    return SolverWork([shape], settings: settings, readers: [0])
  }

  /// `G X A`, an addition and a multiplication counted as two.
  private let product = 2.0 * 60 * 90 * (60 + 90)
  /// The Cholesky factors of `A` and `G`.
  private let factors = 2 * (60.0 * 60 * 60 + 90.0 * 90 * 90) / 6

  @Test("single weights: an iteration is one product with both factors")
  func elements() throws {
    func counted(steps: Int, exchanges: Int, iterations: Int) throws -> SolverWork {
      try work(.element) {
        $0.steps = steps
        $0.exchanges = exchanges
        $0.stepRepair.iterations = 7
        $0.finalRepair.iterations = iterations
      }
    }
    let least = try counted(steps: 1, exchanges: 0, iterations: 10)
    // The residual, the iterations, and the losses before and after.
    #expect(least.single == product * (1 + 10 + 2))
    #expect(least.double == 2 * factors)
    let more = try counted(steps: 1, exchanges: 0, iterations: 11)
    #expect(more.single - least.single == product)
    let steps = try counted(steps: 3, exchanges: 0, iterations: 10)
    #expect(steps.single - least.single == product * 2 * (1 + 7))
    #expect(steps.double == 3 * least.double)
    let rounds = try counted(steps: 1, exchanges: 2, iterations: 10)
    // Each round repairs and looks at the pull; the last one finds out that nothing pays any more.
    #expect(rounds.single - least.single == product * 3 * (1 + 10 + 1))
  }

  @Test("rows and columns: what is removed is not worked on any more")
  func structured() throws {
    let one = try work(.rowsColumns) { $0.steps = 1 }
    #expect(one.single == product * (0.5 + 2))
    let half = 0.5.squareRoot()
    let (m, n) = (60 * half, 90 * half)
    let kept = (m * m * m + n * n * n) / 3
    let rows = 2 * m * 90 * (60 - m) + 2 * m * m * (60 - m)
    let columns = 2 * m * (90 - n) * n + 2 * n * n * (90 - n)
    #expect(abs(one.double - (2 * factors + kept + rows + columns)) < 1e-6 * one.double)
    let ten = try work(.rowsColumns) { $0.steps = 10 }
    #expect(ten.single < 10 * one.single && ten.double > one.double)
    let columnsOnly = try work(.columns) { $0.steps = 1 }
    #expect(columnsOnly.double < 2 * factors + 2 * factors + columns + rows)
  }

  @Test("methods without repair take less, and units ask for their readers alone")
  func less() throws {
    for structure: Structure in [.rowsColumns, .element, .units([.neurons])] {
      let (with, without) = (try work(structure), try work(structure, .kobd))
      #expect(without.double == 0 && without.single < with.single)
    }
    let settings = try PruningSettings(structure: .units([.neurons]), target: 0.5)
    let all = SolverWork([shape, shape, shape], settings: settings, readers: [1])
    #expect(try all == work(.units([.neurons])))
  }
}
