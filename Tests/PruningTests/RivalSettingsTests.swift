import Curvature
import LinearAlgebra
import Pruning
import Testing

@Suite("Settings of layer-local methods")
struct RivalSettingsTests {
  @Test("settings that do not go together are refused", arguments: RivalTests.methods)
  func settings(method: Method) throws {
    #expect(throws: PruningError.methodDoesNotFit(method, .rows)) {
      try PruningSettings(structure: .rows, method: method, target: 0.5)
    }
    var settings = try PruningSettings(structure: .element, method: method, target: 0.5)
    #expect(settings.allocation == .uniform)
    #expect(settings.damping.activations == (method == .wanda ? 0 : 0.01))
    settings.allocation = .owl
    try settings.validate()
    settings.allocation = .global
    #expect(throws: PruningError.allocationDoesNotFit(.global, method)) { try settings.validate() }
    var pattern = try PruningSettings(structure: .nm(kept: 2, of: 4), method: method)
    pattern.allocation = .owl
    #expect(throws: PruningError.allocationDoesNotFit(.owl, method)) { try pattern.validate() }
    #expect(throws: PruningError.patternNotWhole(method, .nm(kept: 2, of: 4))) {
      try PruningSettings(structure: .nm(kept: 2, of: 4), method: method, target: 0.25)
    }
    var other = try PruningSettings(structure: .element, method: .magnitude, target: 0.5)
    other.allocation = .owl
    #expect(throws: PruningError.allocationDoesNotFit(.owl, .magnitude)) { try other.validate() }
  }
}

@Suite("Shares by outliers")
struct OutlierShareTests {
  @Test("the ratio counts scores above five times their mean")
  func ratio() throws {
    var random = Random(2)
    var weights = random.matrix(8, 30)
    weights[3, 4] = 60
    weights[6, 1] = -45
    let squares = (0..<30).map { _ in Float(random.number() * random.number() + 1) }
    let scores = (0..<240).map { index in
      abs(Double(weights.storage[index])) * Double(squares[index % 30]).squareRoot()
    }
    let mean = scores.reduce(0, +) / 240
    let expected = Double(scores.count { $0 > 5 * mean }) / 240
    // Two layers count as one list of scores.
    let parts = [0..<5, 5..<8].map { rows in
      (weights.selecting(rows: Array(rows), columns: Array(0..<30)), squares)
    }
    #expect(OutlierShares.ratio(parts) == expected && expected > 0)
  }

  @Test("the shares have the target as mean, span twice λ, and fall with the ratio")
  func shares() {
    let ratios = [0.01, 0.03, 0.02, 0.05]
    let shares = OutlierShares.shares(ratios, target: 0.7)
    #expect(abs(shares.reduce(0, +) / 4 - 0.7) < 1e-12)
    #expect(abs((shares.max() ?? 0) - (shares.min() ?? 0) - 0.16) < 1e-12)
    #expect(shares[0] > shares[2] && shares[2] > shares[1] && shares[1] > shares[3])
    #expect(OutlierShares.shares([0.2, 0.2], target: 0.4) == [0.4, 0.4])
  }

  @Test("no share leaves 0…1", arguments: [0.01, 0.99])
  func bounds(target: Double) {
    let shares = OutlierShares.shares([0.1, 0, 0.02, 0.3], target: target)
    #expect(shares.allSatisfy { (0...1).contains($0) })
    #expect(abs(shares.reduce(0, +) / 4 - target) < 1e-12)
  }
}
