import Curvature
import LinearAlgebra
import Tensors
import Transformer

/// Gathers the factors of one block while the backward pass shows what enters and leaves its
/// linear layers.
struct StatisticsObserver: LinearObserver {
  private let linears: [LinearDescription]
  /// `A` of each input group, by the group's name.
  private var activations: [String: SecondMoment] = [:]
  /// `G` of each layer, by its position among the model's layers.
  private var gradients: [Int: SecondMoment] = [:]

  /// An observer that has seen nothing.
  init(linears: [LinearDescription]) { self.linears = linears }

  mutating func observe(
    _ group: InputGroup,
    inputs: Matrix<Float>,
    gradients shown: [Matrix<Float>]
  ) {
    activations[
      group.name,
      default: SecondMoment(width: group.inputs, appendsOne: group.hasBias)
    ].add(inputs.view)
    for (linear, gradient) in zip(group.linears, shown) {
      gradients[
        linear,
        default: SecondMoment(width: gradient.columns, appendsOne: false)
      ].add(gradient.view)
    }
  }

  /// The means as tensors of a statistics file, packed triangles in a fixed order.
  ///
  /// - Throws: ``JobError/notFinite(_:)`` naming the factor that is no number.
  func tensors() throws -> [(name: TensorName, entries: [Float])] {
    var result: [(name: TensorName, entries: [Float])] = []
    func append(_ name: String, _ moment: SecondMoment) throws {
      let mean = try moment.mean()
      guard mean.isFinite else { throw JobError.notFinite("the factor \(name)") }
      result.append((TensorName(name), PackedTriangle.pack(mean)))
    }
    for (group, moment) in activations.sorted(by: { $0.key < $1.key }) {
      try append("A.\(group)", moment)
    }
    for (linear, moment) in gradients.sorted(by: { $0.key < $1.key }) {
      try append("G.\(linears[linear].name)", moment)
    }
    return result
  }
}
