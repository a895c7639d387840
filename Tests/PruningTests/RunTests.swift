import Curvature
import LinearAlgebra
import Pruning
import Testing

@Suite("A pruning run")
struct RunTests {
  static let structures: [Structure] = [
    .element, .nm(kept: 2, of: 4), .rowsColumns, .rows, .columns,
  ]

  @Test("gives the same bits on one thread and on four", arguments: structures)
  func threads(structure: Structure) throws {
    let problems = try (1...3).map {
      try sampleProblem($0, rows: 70, inputs: 40 + 40 * $0, hasBias: $0 == 2)
    }
    let settings = try PruningSettings(structure: structure, target: 0.4)
    let before = Parallelism.threads
    defer { Parallelism.threads = before }
    Parallelism.threads = 1
    let single = try prune(problems, settings)
    Parallelism.threads = 4
    let several = try prune(problems, settings)
    #expect(single.plan == several.plan)
    for (one, other) in zip(single.outcomes, several.outcomes) {
      #expect(one.weights == other.weights)
      #expect(one.lossRepaired == other.lossRepaired)
    }
  }

  @Test("what one calibration removed stays removed in the next", arguments: structures)
  func shots(structure: Structure) throws {
    var problems = try (1...2).map {
      try sampleProblem($0, rows: 10, inputs: 12, hasBias: $0 == 1)
    }
    var removed = 0
    for target in [0.2, 0.35, 0.5] {
      let settings = try PruningSettings(structure: structure, target: target)
      let (plan, outcomes) = try prune(problems, settings)
      let now = plan.layers.reduce(0) { $0 + $1.mask.removedWeights }
      #expect(now > removed && Double(now) >= (target * 240).rounded())
      removed = now
      problems = try zip(problems, outcomes).map { problem, outcome in
        var union = outcome.mask
        union.formUnion(problem.mask)
        #expect(union == outcome.mask)
        return try LayerProblem(
          name: problem.name,
          weights: outcome.weights,
          hasBias: problem.hasBias,
          factors: problem.factors,
          mask: outcome.mask
        )
      }
    }
  }

  @Test("rows and columns can be removed after single weights, which stay removed")
  func mixed() throws {
    let problem = try sampleProblem(4, rows: 9, inputs: 8, hasBias: true)
    let first = try prune([problem], try PruningSettings(structure: .element, target: 0.3))
    let outcome = try #require(first.outcomes.first)
    let next = try LayerProblem(
      name: "layer",
      weights: outcome.weights,
      hasBias: true,
      factors: problem.factors,
      mask: outcome.mask
    )
    let second = try prune([next], try PruningSettings(structure: .rowsColumns, target: 0.6))
    let mask = try #require(second.outcomes.first).mask
    var union = mask
    union.formUnion(outcome.mask)
    #expect(union == mask)
    #expect(mask.removedWeights >= 43 && mask.removedWeights <= 43 + 9)
    #expect(mask.keptRows.population + mask.keptColumns.population < 17)
  }

  @Test("layers may lose everything, be dead, or have no gradients at all", arguments: structures)
  func edges(structure: Structure) throws {
    var random = Random(1)
    let zero = Matrix<Float>(rows: 4, columns: 4)
    let mask = LayerMask(outputs: 4, inputs: 4)
    func layer(_ name: String, _ weights: Matrix<Float>, _ a: Matrix<Float>, _ g: Matrix<Float>)
      throws -> LayerProblem
    {
      try LayerProblem(
        name: name,
        weights: weights,
        hasBias: false,
        factors: KroneckerFactors(activations: a, gradients: g),
        mask: mask
      )
    }
    let moment = random.moment(4)
    let problems = [
      try layer("no weights", zero, moment, moment),
      try layer("no inputs", random.matrix(4, 4), zero, moment),
      try layer("no gradients", random.matrix(4, 4), moment, zero),
      try layer("ordinary", random.matrix(4, 4), moment, moment),
      try sampleProblem(2, rows: 1, inputs: 4, hasBias: true),
    ]
    var targets = [0.2, 0.5]
    if structure.largestShare == 1 { targets += [0.9, 0.99] }
    for target in targets {
      for method in Method.allCases where method != .activation && !method.isLayerLocal {
        let settings = try PruningSettings(structure: structure, method: method, target: target)
        let (plan, outcomes) = try prune(problems, settings)
        #expect(plan.removedShare >= target - 0.5 / 68)
        #expect(outcomes.allSatisfy { $0.weights.isFinite })
        #expect(outcomes.allSatisfy { ($0.lossRepaired ?? 0).isFinite })
      }
    }
  }

  @Test(
    "what is dead goes before anything that costs",
    arguments: [Structure.element, .rowsColumns]
  )
  func deadFirst(structure: Structure) throws {
    let problem = try sampleProblem(
      5,
      rows: 8,
      inputs: 8,
      deadRows: [1, 6],
      deadColumns: [0, 3]
    )
    // Two rows of 8 and two columns of the 6 rows left: 28 weights of 64.
    let settings = try PruningSettings(structure: structure, target: 28.0 / 64)
    let (plan, outcomes) = try prune([problem], settings)
    #expect(plan.layers[0].predictedCost == 0)
    #expect(outcomes[0].lossRepaired == 0)
    #expect(plan.layers[0].mask.removedWeights == 28)
  }

  @Test("NaN in weights or factors is refused by name")
  func nan() throws {
    let sample = try sampleProblem(1, rows: 2, inputs: 2)
    var weights = sample.weights
    weights[1, 0] = .nan
    #expect(throws: PruningError.weightsNotFinite(layer: "v_proj")) {
      try LayerProblem(
        name: "v_proj",
        weights: weights,
        hasBias: false,
        factors: sample.factors,
        mask: sample.mask
      )
    }
    var moment = Matrix<Float>(rows: 2, columns: 2, repeating: 1)
    moment[0, 1] = .infinity
    #expect(throws: CurvatureError.notFinite(.gradients)) {
      try KroneckerFactors(activations: Matrix(rows: 2, columns: 2), gradients: moment)
    }
    #expect(PruningError.weightsNotFinite(layer: "v_proj").description.contains("v_proj"))
  }

  @Test("a cost that overflows ends the run with the layer's name")
  func overflow() throws {
    var random = Random(3)
    let problem = try LayerProblem(
      name: "gate",
      weights: Matrix(rows: 2, columns: 2, repeating: 1e30),
      hasBias: false,
      factors: KroneckerFactors(
        activations: Matrix(rows: 2, columns: 2, storage: [1e30, 0, 0, 1e30]),
        gradients: random.moment(2)
      ),
      mask: LayerMask(outputs: 2, inputs: 2)
    )
    let settings = try PruningSettings(structure: .rowsColumns, target: 0.5)
    #expect(throws: PruningError.costNotFinite(layer: "gate")) { try prune([problem], settings) }
  }

  @Test("an indefinite factor ends the run with the layer's name")
  func indefinite() throws {
    var moment = Matrix<Float>(rows: 2, columns: 2, repeating: 5)
    moment[0, 0] = 1e-3
    moment[1, 1] = 1e-3
    let problem = try LayerProblem(
      name: "k_proj",
      weights: Matrix(rows: 2, columns: 2, repeating: 1),
      hasBias: false,
      factors: KroneckerFactors(activations: moment, gradients: moment),
      mask: LayerMask(outputs: 2, inputs: 2)
    )
    let settings = try PruningSettings(structure: .rows, target: 0.5)
    #expect {
      try prune([problem], settings)
    } throws: { error in
      String(describing: error).contains("k_proj")
    }
  }

  @Test("shapes that do not belong together are refused by name")
  func shapes() throws {
    let sample = try sampleProblem(1, rows: 3, inputs: 4)
    let error = PruningError.shapeMismatch(
      layer: "fc1",
      what: "weight matrix",
      expected: [3, 5],
      found: [3, 4]
    )
    #expect(throws: error) {
      try LayerProblem(
        name: "fc1",
        weights: sample.weights,
        hasBias: true,
        factors: sample.factors,
        mask: sample.mask
      )
    }
  }

  @Test("what pricing raised the damping by is told of, though the repair needs none")
  func raisedDamping() throws {
    let sample = try sampleProblem(3, rows: 6, inputs: 12)
    var random = Random(7)
    let problem = try LayerProblem(
      name: sample.name,
      weights: sample.weights,
      hasBias: false,
      factors: KroneckerFactors(
        activations: random.moment(12, samples: 4),
        gradients: try #require(sample.factors).gradients
      ),
      mask: sample.mask
    )
    var settings = try PruningSettings(structure: .element, target: 0.5)
    settings.damping.activations = 0
    #expect(try prune([problem], settings).outcomes[0].timesDampingRaised > 0)
    #expect(try prune([sample], settings).outcomes[0].timesDampingRaised == 0)
  }

  @Test(
    "a few zeros of rounding are weights like others, zero rows and columns are not",
    arguments: [0, 0.01, 0.05]
  )
  func roundedZeros(share: Double) throws {
    var weights = try sampleProblem(5, rows: 10, inputs: 20).weights
    for column in 0..<20 { weights[4, column] = 0 }
    for row in 0..<10 { weights[row, 7] = 0 }
    // Three single ones, 1.5 % of all.
    for place in [(1, 2), (3, 4), (5, 6)] { weights[place.0, place.1] = 0 }
    let mask = LayerMask(zerosOf: weights, hasBias: false, single: share)
    #expect(!mask.keptRows[4] && mask.keptRows.population == 9)
    #expect(!mask.keptColumns[7] && mask.keptColumns.population == 19)
    #expect(mask.isStructured == (share > 0.015))
    #expect(mask.keptWeights == 9 * 19 - (share > 0.015 ? 0 : 3))
  }
}
