import LinearAlgebra
import Tensors
import Training
import Transformer

/// A model some of whose values are trained: it is read with the values as they are at the moment.
struct TrainedModel: TensorSource {
  /// Where the values of a tensor come from.
  enum Site: Sendable {
    /// They are a parameter.
    case values(Int)
    /// They are a parameter, and those that were zero stay zero.
    case masked(Int, WeightMask)
    /// They are the stored matrix, changed by two factors, which are parameters.
    case adapted(Adapter, a: Int, b: Int)
    /// They are a bias of which some places stay zero, because the rows are pruned as a whole.
    case bias(Int, keeping: WeightMask)
  }

  /// The model as it came, with places for what is added.
  let base: DecoderModel
  /// The tensors that are trained.
  let sites: [TensorName: Site]
  /// What is trained.
  var parameters: [Parameter]
  /// Whether adapted matrices are read as they are written in the end.
  var isMerged = false

  var names: [TensorName] { base.source.names }

  func description(of name: TensorName) -> TensorDescription? {
    base.source.description(of: name)
  }

  func floats(_ name: TensorName) throws -> [Float] {
    switch sites[name] {
    case nil: return try base.source.floats(name)
    case .values(let index), .masked(let index, _), .bias(let index, _):
      return parameters[index].values
    case .adapted(let adapter, let a, let b):
      let weight = try matrix(name, of: adapter)
      let (a, b) = (parameters[a].values, parameters[b].values)
      return isMerged
        ? try adapter.merged(weight, a: a, b: b).storage
        : adapter.effective(weight, a: a, b: b).storage
    }
  }

  func bytes(_ name: TensorName) throws -> [UInt8] {
    let description = try existing(name)
    guard sites[name] != nil else { return try base.source.bytes(name) }
    return try description.bytes(of: try floats(name), name: name)
  }

  func integers(_ name: TensorName) throws -> [Int] { try base.source.integers(name) }

  /// A matrix as it came.
  func matrix(_ name: TensorName, of adapter: Adapter) throws -> Matrix<Float> {
    Matrix(
      rows: adapter.outputs,
      columns: adapter.inputs,
      storage: try base.source.floats(name)
    )
  }

  /// The number of values that are trained.
  var trainedCount: Int { parameters.reduce(0) { $0 + $1.values.count } }

  /// Adds the trained tensors as they are written: what was zero in a matrix is zero.
  ///
  /// - Parameter tensors: Receives them, stored as in the model.
  /// - Throws: `TrainingError` if a zero is lost.
  func write(to tensors: inout MemoryTensors) throws {
    var merged = self
    merged.isMerged = true
    for (name, site) in sites.sorted(by: { $0.key < $1.key }) {
      let values = try merged.floats(name)
      switch site {
      case .masked(_, let mask), .bias(_, let mask): try mask.check(values, name: "\(name)")
      case .values, .adapted: break
      }
      try tensors.set(name, try existing(name), floats: values)
    }
  }
}
