import Pruning
import Transformer

/// The repaired layers of a shot as they come: weights go to the disk, figures stay.
struct RepairedLayers {
  /// The weights.
  private(set) var weights: RepairedWeights
  private let names: [String]
  private var received: [LayerFigures?]

  /// Makes room for all layers.
  ///
  /// - Parameters:
  ///   - linears: The model's linear layers.
  ///   - directory: Where the scratch file lies.
  /// - Throws: `FileError` if there is no room for it.
  init(_ linears: [LinearDescription], scratch directory: String) throws {
    weights = try RepairedWeights(linears, scratch: directory)
    names = linears.map(\.name)
    received = linears.map { _ in nil }
  }

  /// Takes one layer.
  mutating func receive(_ layer: Int, _ outcome: LayerOutcome) throws {
    try weights.keep(outcome.weights, layer: layer)
    received[layer] = outcome.figures
  }

  /// The figures of all layers, in the model's order.
  ///
  /// - Throws: ``JobError/badSetting(_:)`` naming a layer that did not come.
  func figures() throws -> [LayerFigures] {
    try received.enumerated().map { layer, figures in
      guard let figures else {
        throw JobError.badSetting("the inputs of \(names[layer]) were not seen")
      }
      return figures
    }
  }
}
