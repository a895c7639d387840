import Curvature
import LinearAlgebra
import Safetensors
import Tensors
import Transformer

/// Gathers the factors of one block while the backward pass shows what enters and leaves its
/// linear layers.
struct StatisticsObserver: LinearObserver {
  private let linears: [LinearDescription]
  /// `A` of each input group, then `G` of each of its layers, in the order shown.
  private var sums = MomentSums()

  /// An observer that has seen nothing.
  init(linears: [LinearDescription]) { self.linears = linears }

  mutating func observe(_ traffic: [LinearTraffic]) {
    sums.add(
      traffic.flatMap { shown in
        let group = shown.group
        let inputs = MomentSums.Samples(
          name: "A.\(group.name)",
          width: group.inputs,
          appendsOne: group.hasBias,
          pieces: shown.inputs
        )
        return [inputs]
          + zip(group.linears, shown.gradients).map { linear, gradients in
            MomentSums.Samples(
              name: "G.\(linears[linear].name)",
              width: linears[linear].outputs,
              appendsOne: false,
              pieces: gradients
            )
          }
      }
    )
  }

  /// The means as tensors of a statistics file, packed triangles; each is made when it is written.
  ///
  /// Asking for one throws ``JobError/notFinite(_:)`` naming a factor that is no number.
  func tensors() -> [SafetensorsWriter.Tensor] {
    sums.moments.map { name, moment in
      SafetensorsWriter.Tensor(
        TensorName(name),
        TensorDescription(
          elementType: .float32,
          shape: [PackedTriangle.count(order: moment.order)]
        ),
        floats: {
          let entries = try moment.meanTriangle()
          guard isFinite(entries.span) else {
            throw JobError.notFinite("the factor \(name)")
          }
          return entries
        }
      )
    }
  }
}
