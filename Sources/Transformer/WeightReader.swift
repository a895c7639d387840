import LinearAlgebra
import MixedPrecision
import Tensors

/// Reads tensors as numbers that are checked: the right count, no NaN, no infinity.
struct WeightReader {
  let source: any TensorSource
  /// In what products with the weights of linear layers are computed.
  var products = ProductPrecision.float32

  /// Reads a tensor of `count` elements.
  func floats(_ name: TensorName, count: Int) throws(ModelError) -> [Float] {
    let values: [Float]
    do { values = try source.floats(name) } catch {
      throw .unreadableTensor(name, reason: "\(error)")
    }
    guard values.count == count else {
      throw .unreadableTensor(name, reason: "\(values.count) elements instead of \(count)")
    }
    if !isFinite(values.span), let index = values.firstIndex(where: { !$0.isFinite }) {
      throw .tensorNotFinite(name, index: index)
    }
    return values
  }

  /// Reads a matrix of known shape.
  func matrix(_ name: TensorName, rows: Int, columns: Int) throws(ModelError) -> Matrix<Float> {
    Matrix(rows: rows, columns: columns, storage: try floats(name, count: rows * columns))
  }

  /// Reads a linear layer.
  func linear(_ description: LinearDescription) throws(ModelError) -> Linear {
    let weight = try matrix(
      description.weight,
      rows: description.outputs,
      columns: description.inputs
    )
    var bias: [Float]?
    if let name = description.bias { bias = try floats(name, count: description.outputs) }
    return Linear(weight: weight, bias: bias, rounded: rounded(weight))
  }

  /// The weights in bfloat16, if products are computed so.
  func rounded(_ weight: Matrix<Float>) -> BFloat16Matrix? {
    products == .bfloat16 ? BFloat16Matrix(rounding: weight) : nil
  }

  /// Reads the weights of a norm.
  func norm(_ module: String, of decoder: DecoderDescription) throws(ModelError) -> Norm {
    let size = decoder.hiddenSize
    let weight = try floats(TensorName("\(module).weight"), count: size)
    let bias =
      decoder.norm == .layer ? try floats(TensorName("\(module).bias"), count: size) : nil
    return Norm(
      kind: decoder.norm,
      epsilon: Float(decoder.normEpsilon),
      weight: weight,
      bias: bias
    )
  }
}
