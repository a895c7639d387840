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

  /// The structures that are told of.
  private static let told: [Structure] = [
    .rowsColumns, .element, .nm(kept: 2, of: 4), .units([.neurons, .heads]),
  ]

  /// Counts what a pruning of each kind needs.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - tokens: The tokens of all windows.
  /// - Returns: One demand for each structure that is told of.
  /// - Throws: `PruningError` for settings that cannot be.
  static func all(of model: DecoderModel, tokens: Int) throws -> [PruningDemand] {
    try told.map { structure in
      // How much is removed does not matter.
      let settings = try PruningSettings(structure: structure, target: 0.5)
      let footprint = PruningFootprint(of: model, settings: settings, windows: (tokens, false))
      return PruningDemand(
        structure: structure,
        memory: footprint.memory,
        scratch: footprint.scratch
      )
    }
  }

  /// A part of a sentence for a person.
  var text: String {
    "\(Quantity.bytes(wholeNumber(memory))) and \(Quantity.bytes(wholeNumber(scratch))) for "
      + "\(structure)"
  }

  var json: JSONValue {
    [
      "structure": JSONValue("\(structure)"), "memoryBytes": JSONValue(wholeNumber(memory)),
      "scratchBytes": JSONValue(wholeNumber(scratch)),
    ]
  }
}
