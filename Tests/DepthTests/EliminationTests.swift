import Depth
import Testing

@Suite("Orders of removal")
struct EliminationTests {
  @Test("the lowest goes first, of equals the one with the lowest number")
  func order() throws {
    #expect(try Elimination.order([3, 1, 2, 1]) == [1, 3, 2, 0])
    #expect(try Elimination.order([]) == [])
  }

  @Test("no number has no rank", arguments: [Double.nan, .infinity, -.infinity])
  func notFinite(bad: Double) {
    #expect(throws: DepthError.scoreNotFinite(unit: 1)) { try Elimination.order([0, bad]) }
    #expect(throws: DepthError.scoreNotFinite(unit: 7)) {
      try Elimination.stepwise(1, of: [4, 7]) { _, _ in [0, bad] }
    }
  }

  @Test("stepwise, the others are scored anew after each removal")
  func stepwise() throws {
    // Units 0 and 1 stand in for each other: once one is gone, the other matters.
    let gone = try Elimination.stepwise(2, of: [0, 1, 2]) { left, gone in
      left.map { unit in
        switch unit {
        case 2: 5
        default: gone.contains(1 - unit) ? 10 : Double(unit)
        }
      }
    }
    #expect(gone == [0, 2])
  }

  @Test("no more go than there are")
  func few() throws {
    #expect(
      try Elimination.stepwise(5, of: [2, 1]) { left, _ in left.map(Double.init) } == [1, 2]
    )
  }
}
