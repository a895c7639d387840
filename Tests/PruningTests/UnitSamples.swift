import Curvature
import LinearAlgebra
import Pruning

/// A model of random blocks: query, key, value, output projection, up and down in each.
struct UnitSample {
  typealias Heads = (groups: Int, perGroup: Int, size: Int)

  var problems: [LayerProblem] = []
  var model: UnitModel
  /// Weights by widths, biases aside.
  let weights: LinearMeasure

  /// Makes the blocks.
  ///
  /// - Parameters:
  ///   - blocks: The number of neurons of each block.
  ///   - shape: Key and value heads, query heads that share one, channels of a head.
  ///   - isQuery: Whether query heads are removed one from each group.
  ///   - seed: Where the weights and factors come from.
  /// - Throws: Nothing, since everything fits.
  init(
    _ blocks: [Int],
    heads shape: Heads = (3, 2, 2),
    isQuery: Bool = false,
    seed: Int = 1
  ) throws {
    let (groups, perGroup, headSize) = shape
    let hidden = 4
    var parts: [UnitPart] = []
    for (block, neurons) in blocks.enumerated() {
      let first = problems.count
      let heads = groups * perGroup * headSize
      let shapes = [
        (heads, hidden), (groups * headSize, hidden), (groups * headSize, hidden), (hidden, heads),
        (neurons, hidden), (hidden, neurons),
      ]
      for (place, shape) in shapes.enumerated() {
        problems.append(
          try sampleProblem(
            seed * 1000 + first + place,
            rows: shape.0,
            inputs: shape.1,
            hasBias: true,
            name: "block \(block) layer \(place)"
          )
        )
      }
      parts.append(
        isQuery
          ? Self.queryHeads(shape, block: block, first: first)
          : Self.groups(shape, block: block, first: first)
      )
      parts.append(
        UnitPart(
          kind: .neurons,
          block: block,
          count: neurons,
          reader: (first + 5, 1),
          writers: [UnitPart.Writer(layer: first + 4, rowsPerUnit: 1, silences: true)]
        )
      )
    }
    model = UnitModel(
      parts: parts,
      widths: blocks.map {
        BlockWidths(heads: groups * perGroup, keyValueHeads: groups, neurons: $0)
      }
    )
    let each = Double(hidden * headSize)
    weights = LinearMeasure(
      name: "weights",
      blocks: blocks.map { _ in
        LinearMeasure.Block(perHead: 2 * each, perKeyValueHead: 2 * each, perNeuron: 8)
      }
    )
  }

  private static func queryHeads(_ shape: Heads, block: Int, first: Int) -> UnitPart {
    UnitPart(
      kind: .heads,
      block: block,
      count: shape.groups * shape.perGroup,
      reader: (first + 3, shape.size),
      writers: [UnitPart.Writer(layer: first, rowsPerUnit: shape.size, silences: false)],
      heads: (1, 0),
      sets: shape.groups
    )
  }

  private static func groups(_ shape: Heads, block: Int, first: Int) -> UnitPart {
    let size = shape.perGroup * shape.size
    return UnitPart(
      kind: .heads,
      block: block,
      count: shape.groups,
      reader: (first + 3, size),
      writers: [
        UnitPart.Writer(layer: first, rowsPerUnit: size, silences: false),
        UnitPart.Writer(layer: first + 1, rowsPerUnit: shape.size, silences: false),
        UnitPart.Writer(layer: first + 2, rowsPerUnit: shape.size, silences: true),
      ],
      heads: (shape.perGroup, 1)
    )
  }

  /// A goal on the weights.
  func removing(_ share: Double) -> WidthGoal {
    WidthGoal(removing: share, of: weights, from: model.widths)
  }

  /// Chooses and repairs.
  func pruned(
    _ settings: PruningSettings,
    _ goal: WidthGoal
  ) throws -> (plan: PruningPlan, outcomes: [LayerOutcome], widths: [BlockWidths]) {
    let store = LayersInMemory(problems)
    var run = try UnitRun(store: store, settings: settings, model: model, goal: goal)
    let plan = try run.choose()
    var outcomes: [LayerOutcome] = []
    try PruningRun(store: store, settings: settings).repair(plan) { outcomes.append($1) }
    return (plan, outcomes, run.widths)
  }

  /// The path of one part, with nothing removed before.
  func path(ofPart index: Int, _ settings: PruningSettings, kept: [Int]? = nil) throws -> UnitPath {
    let part = model.parts[index]
    let units = kept ?? Array(0..<part.count)
    let plans = problems.map { LayerPlan(name: $0.name, mask: $0.mask) }
    return try UnitPass(part, kept: units, depth: units.count, plans: plans, settings: settings)
      .path(LayersInMemory(problems))
  }
}

/// Settings for units with a damping that the dense model knows.
func unitSettings(
  _ kinds: Set<UnitKind> = [.heads, .neurons],
  _ method: Method = .surgeon,
  target: Double = 0.4,
  allocation: Allocation = .global
) throws -> PruningSettings {
  var settings = try PruningSettings(structure: .units(kinds), method: method, target: target)
  settings.damping = Damping(activations: 0.1, gradients: 0.2)
  settings.allocation = allocation
  return settings
}

extension DenseModel {
  /// The loss after the best repair without some columns of all rows.
  func cost(_ weights: [Double], removingColumns lost: some Collection<Int>) -> Double {
    cost(weights, removing: Set((0..<rows).flatMap { row in lost.map { row * columns + $0 } }))
  }
}
