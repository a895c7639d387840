import LinearAlgebra
import Transformer

/// Keeps what one input group reads in a batch.
struct GroupInputs: LinearObserver {
  let name: String
  private(set) var pieces: [Matrix<Float>] = []

  /// An observer of the group of that name.
  init(_ name: String) { self.name = name }

  mutating func observe(_ traffic: [LinearTraffic]) {
    for shown in traffic where shown.group.name == name { pieces += shown.inputs }
  }
}
