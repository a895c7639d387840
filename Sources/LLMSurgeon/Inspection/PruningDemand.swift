import ExactJSON
import LinearAlgebra
public import Pruning
import Report
import Transformer

/// What a pruning with the solver's defaults will need, counted from the shapes.
public struct PruningDemand: Sendable, Equatable {
  /// What is removed.
  public let structure: Structure
  /// The largest resident memory in bytes, mapped weights not counted.
  public let memory: Double
  /// The size of the scratch files and of the work that is kept to go on with, in bytes.
  public let scratch: Double
  /// The most floating-point operations.
  public let operations: Double
  /// The time that they take at this machine's rates, in seconds.
  public let seconds: Double
  /// The time with one step and no exchanges, in seconds.
  public let fewestSeconds: Double

  /// The structures that are told of.
  private static let told: [Structure] = [
    .rowsColumns, .element, .nm(kept: 2, of: 4), .units([.neurons, .heads]),
  ]

  /// The share that goes in the prunings that are told of: memory does not depend on it, time a little.
  private static let share = 0.5

  /// Counts what a pruning of each kind needs.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - windows: The tokens of all windows, and of one.
  ///   - rates: How fast this machine computes.
  /// - Returns: One demand for each structure that is told of.
  /// - Throws: `PruningError` for settings that cannot be.
  static func all(
    of model: DecoderModel,
    windows: (tokens: Int, length: Int),
    rates: ComputingRates
  ) throws -> [PruningDemand] {
    let shapes = model.solverShapes
    let readers = model.units(.group).parts.map(\.reader)
    return try told.map { structure in
      var settings = try PruningSettings(structure: structure, target: share)
      let footprint = PruningFootprint(
        of: model,
        settings: settings,
        windows: (windows.tokens, windows.length, false)
      )
      let work = SolverWork(shapes, settings: settings, readers: readers)
      if !structure.isUnits { (settings.steps, settings.exchanges) = (1, 0) }
      let least = SolverWork(shapes, settings: settings, readers: readers)
      return PruningDemand(
        structure: structure,
        memory: footprint.memory,
        scratch: footprint.scratch,
        operations: work.single + work.double,
        seconds: rates.seconds(work),
        fewestSeconds: rates.seconds(least)
      )
    }
  }

  /// A table for a person.
  static func table(_ demands: [PruningDemand]) -> TextTable {
    var table = TextTable(
      title: "Prunings from it that remove half of the weights",
      columns: [
        .init("structure", .left), .init("memory"), .init("scratch space"), .init("TFLOP"),
        .init("time"), .init("--steps 1 --exchanges 0"),
      ]
    )
    for demand in demands {
      table.add([
        "\(demand.structure)", Quantity.bytes(wholeNumber(demand.memory)),
        Quantity.bytes(wholeNumber(demand.scratch)),
        Quantity.fixed(demand.operations / 1e12, decimals: 2),
        Quantity.duration(seconds: demand.seconds),
        demand.structure.isUnits ? "" : Quantity.duration(seconds: demand.fewestSeconds),
      ])
    }
    return table
  }

  var json: JSONValue {
    [
      "structure": JSONValue("\(structure)"), "memoryBytes": JSONValue(wholeNumber(memory)),
      "scratchBytes": JSONValue(wholeNumber(scratch)), "operations": JSONValue(operations),
      "seconds": JSONValue(seconds), "fewestSeconds": JSONValue(fewestSeconds),
    ]
  }
}
