import Pruning
import Testing

@Suite("Settings")
struct SettingsTests {
  @Test("a structure is read from its name and written back")
  func names() throws {
    for name in ["element", "rows-columns", "rows", "columns", "2:4", "1:16", "15:16"] + [
      "neurons", "heads", "neurons,heads",
    ] {
      #expect(try Structure(name).description == name)
    }
    #expect(try Structure("heads,neurons") == .units([.heads, .neurons]))
    for name in ["", "4:2", "0:4", "4:4", "2:17", "2:", ":4", "2:4:8", "+2:4", "Rows", "02:4"] + [
      "neurons,", "heads,heads", "neuron", "neurons, heads",
    ] {
      #expect(throws: PruningError.unknownStructure(name)) { try Structure(name) }
    }
  }

  @Test("targets out of range are refused", arguments: [0, 1, -0.1, 1.5, .nan, .infinity])
  func targets(target: Double) {
    #expect(throws: PruningError.self) {
      try PruningSettings(structure: .element, target: target)
    }
  }

  @Test("a pattern removes all it can unless told otherwise, and no more")
  func patterns() throws {
    #expect(try PruningSettings(structure: .nm(kept: 1, of: 4)).target == 0.75)
    #expect(throws: PruningError.targetOutOfRange(0.6, .nm(kept: 2, of: 4))) {
      try PruningSettings(structure: .nm(kept: 2, of: 4), target: 0.6)
    }
    #expect(throws: PruningError.targetMissing(.rows)) { try PruningSettings(structure: .rows) }
  }

  @Test("a schedule rises from what is removed to the target")
  func schedule() throws {
    for ramp in Ramp.allCases {
      var settings = try PruningSettings(structure: .element, target: 0.75)
      settings.steps = 4
      settings.ramp = ramp
      let shares = settings.schedule(from: 0.25)
      #expect(shares.count == 4 && shares.last == 0.75)
      #expect(zip([0.25] + shares, shares).allSatisfy { $0 < $1 })
      #expect(settings.schedule(from: 0.8) == [0.75])
    }
  }

  @Test("constraints on widths go with neurons and heads only, and not against each other")
  func constraints() throws {
    func validate(
      _ structure: Structure,
      _ allocation: Allocation,
      _ constraints: UnitConstraints
    ) throws {
      var settings = try PruningSettings(structure: structure, target: 0.5)
      settings.allocation = allocation
      settings.constraints = constraints
      try settings.validate()
    }
    let first = UnitConstraints(keepFirst: 1)
    try validate(.units([.neurons]), .global, first)
    #expect(throws: PruningError.constraintsContradict) {
      try validate(.units([.neurons]), .uniform, first)
    }
    #expect(throws: PruningError.constraintsNeedUnits(.rows)) {
      try validate(.rows, .global, first)
    }
    for wrong in [
      UnitConstraints(neuronMultiple: 0), UnitConstraints(headMultiple: -1),
      UnitConstraints(keepLast: -1), UnitConstraints(largestShare: 0),
      UnitConstraints(largestShare: .nan),
    ] {
      #expect(throws: PruningError.self) { try validate(.units([.heads]), .global, wrong) }
    }
    #expect(throws: PruningError.methodNeedsUnits(.activation)) {
      try PruningSettings(structure: .element, method: .activation, target: 0.5)
    }
    #expect(try PruningSettings(structure: .units([.heads]), target: 0.5).allocation == .uniform)
  }
}
