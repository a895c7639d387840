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
    let one = footprint(block, settings, threads: 4)
    let five = footprint(
      Array(repeating: block, count: 5).flatMap(\.self),
      settings,
      threads: 4
    )
    // Small layers of two blocks may be side by side, but are not the largest.
    #expect(five.working == one.working)
    #expect(five.scratch == 5 * one.scratch && five.plan == 5 * one.plan)
    #expect(footprint(block, settings, threads: 1).working <= one.working)
    #expect(one.layers == [2] || one.layers == [3])
  }

  @Test("a method without repair takes less, and without curvature least")
  func methods() throws {
    func working(_ method: Method, hasCurvature: Bool = true) throws -> Double {
      let settings = try PruningSettings(structure: .element, method: method, target: 0.4)
      return footprint(block, settings, hasCurvature: hasCurvature, threads: 2).working
    }
    #expect(try working(.magnitude, hasCurvature: false) < working(.kobd))
    // Its factors are read, for the losses that are reported.
    #expect(try working(.magnitude) == working(.kobd))
    #expect(try working(.kobd) < working(.surgeon))
  }

  private func footprint(
    _ shapes: [SolverFootprint.Shape],
    _ settings: PruningSettings,
    hasCurvature: Bool = true,
    threads: Int
  ) -> SolverFootprint {
    SolverFootprint(shapes, settings: settings, hasCurvature: hasCurvature, threads: threads)
  }
}
