import Pruning
import Testing

@Suite("Memory of the solver")
struct SolverFootprintTests {
  private let block = [
    SolverFootprint.Shape(outputs: 2048, inputs: 2048, hasBias: false),
    SolverFootprint.Shape(outputs: 256, inputs: 2048, hasBias: false),
    SolverFootprint.Shape(outputs: 5632, inputs: 2048, hasBias: false),
    SolverFootprint.Shape(outputs: 2048, inputs: 5632, hasBias: false),
  ]

  @Test(
    "does not grow with the number of blocks, and one thread takes no more than several",
    arguments: ["element", "2:4", "rows-columns", "neurons"]
  )
  func bounded(structure: String) throws {
    let settings = try PruningSettings(structure: try Structure(structure), target: 0.4)
    let one = SolverFootprint(block, settings: settings, threads: 4)
    let five = SolverFootprint(
      Array(repeating: block, count: 5).flatMap(\.self),
      settings: settings,
      threads: 4
    )
    // Small layers of two blocks may be side by side, but are not the largest.
    #expect(five.working == one.working)
    #expect(five.scratch == 5 * one.scratch && five.plan == 5 * one.plan)
    #expect(SolverFootprint(block, settings: settings, threads: 1).working <= one.working)
    #expect(one.layers == [2] || one.layers == [3])
  }

  @Test("a method without repair takes less, and magnitude least")
  func methods() throws {
    func working(_ method: Method) throws -> Double {
      let settings = try PruningSettings(structure: .element, method: method, target: 0.4)
      return SolverFootprint(block, settings: settings, threads: 2).working
    }
    #expect(try working(.magnitude) < working(.kobd))
    #expect(try working(.kobd) < working(.surgeon))
  }
}
