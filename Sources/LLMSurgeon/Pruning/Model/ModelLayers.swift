import Curvature
import LinearAlgebra
import Pruning
import Tensors
import Transformer

/// The linear layers of a model as the solver sees them, read one at a time.
struct ModelLayers: LayerStore {
  let layers: [LayerDescription]
  private let linears: [LinearDescription]
  private let source: any TensorSource
  private let statistics: StatisticsDirectory?

  /// In numbers of sixteen bits a few small weights are zero by rounding.
  ///
  /// Taken for removed, they would have whole rows and columns repaired by iterations instead of
  /// exactly.
  private static let roundedShare = 1e-3

  /// Describes the layers; weights that are zero already count as removed.
  ///
  /// - Parameters:
  ///   - linears: The model's linear layers.
  ///   - source: Their weights.
  ///   - statistics: Their curvature; nil where the method needs none.
  ///   - structure: What will be removed; where that is whole rows and columns, a few single zeros are
  ///     weights like others.
  /// - Throws: What reading the weights throws.
  init(
    _ linears: [LinearDescription],
    source: any TensorSource,
    statistics: StatisticsDirectory?,
    structure: Structure = .element
  ) throws {
    self.linears = linears
    self.source = source
    self.statistics = statistics
    layers = try linears.map { linear in
      LayerDescription(
        name: linear.name,
        mask: LayerMask(
          zerosOf: try Self.weights(of: linear, in: source),
          hasBias: linear.hasBias,
          single: structure.isStructured ? Self.roundedShare : 0
        ),
        hasBias: linear.hasBias
      )
    }
  }

  func problem(at index: Int) throws -> LayerProblem {
    let linear = linears[index]
    return try LayerProblem(
      name: linear.name,
      weights: try Self.weights(of: linear, in: source),
      hasBias: linear.hasBias,
      factors: try statistics?.factors(of: index),
      mask: layers[index].mask
    )
  }

  /// `W` with a bias as its last column, shape `[outputs, inputs (+1)]`.
  static func weights(
    of linear: LinearDescription,
    in source: any TensorSource
  ) throws -> Matrix<Float> {
    let weight = Matrix(
      rows: linear.outputs,
      columns: linear.inputs,
      storage: try source.floats(linear.weight)
    )
    guard let name = linear.bias else { return weight }
    let bias = try source.floats(name)
    var result: [Float] = []
    result.reserveCapacity(linear.outputs * (linear.inputs + 1))
    for row in 0..<linear.outputs {
      result += weight.storage[row * linear.inputs..<(row + 1) * linear.inputs]
      result.append(bias[row])
    }
    return Matrix(rows: linear.outputs, columns: linear.inputs + 1, storage: result)
  }
}

extension LinearDescription {
  /// Takes a weight matrix apart into the tensors it is stored as.
  ///
  /// - Parameter weights: `W` with a bias as its last column.
  /// - Returns: The tensors with their shapes.
  func tensors(
    of weights: Matrix<Float>
  ) -> [(name: TensorName, shape: [Int], values: [Float])] {
    guard let bias else { return [(weight, [outputs, inputs], weights.storage)] }
    var values: [Float] = []
    values.reserveCapacity(outputs * inputs)
    for row in 0..<outputs {
      let start = row * (inputs + 1)
      values += weights.storage[start..<start + inputs]
    }
    let biases = (0..<outputs).map { weights[$0, inputs] }
    return [(weight, [outputs, inputs], values), (bias, [outputs], biases)]
  }
}

extension DecoderModel {
  /// What becomes free when rows and columns go: the couplings of the model, as the solver takes
  /// them.
  ///
  /// - Parameter settings: Neurons and heads have their own description, and methods for comparison
  ///   take each layer for itself.
  /// - Returns: Nothing in these cases.
  func consequences(for settings: PruningSettings) -> [Consequence] {
    guard settings.method == .surgeon, !settings.structure.isUnits else { return [] }
    return couplings.flatMap { coupling in
      let secondAxis: Axis = coupling.meaning == .rowsFeedColumns ? .column : .row
      return (0..<coupling.units).flatMap { unit in
        let first = coupling.producerRows(ofUnit: unit).map {
          StructureID(layer: coupling.producer, axis: .row, index: $0)
        }
        let second = coupling.consumerIndices(ofUnit: unit).map {
          StructureID(layer: coupling.consumer, axis: secondAxis, index: $0)
        }
        return [
          Consequence(causes: first, freed: second), Consequence(causes: second, freed: first),
        ]
      }
    }
  }
}
