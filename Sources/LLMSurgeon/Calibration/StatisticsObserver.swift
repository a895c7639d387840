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
  private var moments: [SecondMoment] = []
  /// The factors' names, in the same order.
  private var names: [String] = []

  /// An observer that has seen nothing.
  init(linears: [LinearDescription]) { self.linears = linears }

  mutating func observe(_ traffic: [LinearTraffic]) {
    if moments.isEmpty { prepare(traffic) }
    SecondMoment.add(traffic.flatMap { [$0.inputs] + $0.gradients }, to: &moments)
  }

  /// Starts a sum for every factor.
  private mutating func prepare(_ traffic: [LinearTraffic]) {
    for shown in traffic {
      let group = shown.group
      names.append("A.\(group.name)")
      moments.append(SecondMoment(width: group.inputs, appendsOne: group.hasBias))
      for linear in group.linears {
        names.append("G.\(linears[linear].name)")
        moments.append(SecondMoment(width: linears[linear].outputs, appendsOne: false))
      }
    }
  }

  /// The means as tensors of a statistics file, packed triangles; each is made when it is written.
  ///
  /// Asking for one throws ``JobError/notFinite(_:)`` naming a factor that is no number.
  func tensors() -> [SafetensorsWriter.Tensor] {
    zip(names, moments).map { name, moment in
      SafetensorsWriter.Tensor(
        TensorName(name),
        TensorDescription(
          elementType: .float32,
          shape: [PackedTriangle.count(order: moment.order)]
        ),
        floats: {
          let entries = try moment.meanTriangle()
          guard entries.allSatisfy(\.isFinite) else {
            throw JobError.notFinite("the factor \(name)")
          }
          return entries
        }
      )
    }
  }
}
