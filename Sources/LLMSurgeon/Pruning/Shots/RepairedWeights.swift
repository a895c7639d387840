import LinearAlgebra
import Pruning
import Tensors
import Transformer

/// The weights that a shot leaves, single precision, under the model's tensor names.
///
/// They lie in a scratch file as soon as a layer is repaired.
struct RepairedWeights: TensorSource {
  private let linears: [LinearDescription]
  private var numbers: LayerNumbers<Float>
  /// The model that was trained since, whose matrices are newer; nil if none was.
  private var corrected: TrainedModel?
  /// Where each tensor comes from: its layer, and its place among the layer's tensors.
  private let origins: [TensorName: (layer: Int, place: Int)]

  /// Makes room for the weights of all layers.
  ///
  /// - Parameters:
  ///   - linears: The model's linear layers.
  ///   - directory: Where the scratch file lies.
  /// - Throws: `FileError` if there is no room for it.
  init(_ linears: [LinearDescription], scratch directory: String) throws {
    self.linears = linears
    numbers = try LayerNumbers(
      counts: linears.map { $0.outputs * $0.columns },
      directory: directory
    )
    var origins: [TensorName: (layer: Int, place: Int)] = [:]
    for (layer, linear) in linears.enumerated() {
      for (place, name) in [linear.weight, linear.bias].enumerated() {
        if let name { origins[name] = (layer, place) }
      }
    }
    self.origins = origins
  }

  /// Keeps the weights of a layer.
  ///
  /// - Parameters:
  ///   - weights: `W` with a bias as its last column.
  ///   - layer: The layer's place among the model's layers.
  /// - Throws: `FileError`.
  mutating func keep(_ weights: Matrix<Float>, layer: Int) throws {
    try numbers.keep(weights.storage, layer: layer)
  }

  /// Replaces the tensors that a model was trained of.
  ///
  /// - Parameter newer: The model, read as it is written in the end. Its base reads a copy of these
  ///   weights as they are now.
  mutating func correct(by newer: TrainedModel) { corrected = newer }

  var names: [TensorName] { origins.keys.sorted() }

  func description(of name: TensorName) -> TensorDescription? {
    origins[name].map { origin in
      let linear = linears[origin.layer]
      let shape = origin.place == 0 ? [linear.outputs, linear.inputs] : [linear.outputs]
      return TensorDescription(elementType: .float32, shape: shape)
    }
  }

  func floats(_ name: TensorName) throws -> [Float] {
    if let corrected, corrected.sites[name] != nil { return try corrected.floats(name) }
    guard let origin = origins[name], let values = try numbers.numbers(layer: origin.layer) else {
      throw TensorError.missing(name)
    }
    let linear = linears[origin.layer]
    let weights = Matrix(rows: linear.outputs, columns: linear.columns, storage: values)
    return linear.tensors(of: weights)[origin.place].values
  }

  func bytes(_ name: TensorName) throws -> [UInt8] {
    try existing(name).bytes(of: try floats(name), name: name)
  }
}

extension LinearDescription {
  /// The columns of the weights as the solver sees them, with the bias.
  var columns: Int { inputs + (hasBias ? 1 : 0) }
}
