import Curvature
import LinearAlgebra
import Transformer

/// Gathers `A` of the layers of one block while a forward pass shows their inputs.
struct InputMoments: LinearObserver {
  /// The names of the input groups, in the order shown.
  private var names: [String] = []
  /// `A` of each, in the same order.
  private var moments: [SecondMoment] = []

  mutating func observe(_ traffic: [LinearTraffic]) {
    if moments.isEmpty {
      names = traffic.map(\.group.name)
      moments = traffic.map { SecondMoment(width: $0.group.inputs, appendsOne: false) }
    }
    SecondMoment.add(traffic.map(\.inputs), to: &moments)
  }

  /// The mean of `x xᵀ` for each input group, by the group's name, without a bias's row and column.
  ///
  /// - Throws: ``JobError/notFinite(_:)`` naming the group whose mean is no number.
  func means() throws -> [String: Matrix<Float>] {
    var result: [String: Matrix<Float>] = [:]
    for (group, moment) in zip(names, moments) {
      let mean = try moment.mean()
      guard mean.isFinite else { throw JobError.notFinite("the input of \(group)") }
      result[group] = mean
    }
    return result
  }
}

extension DecoderBlock {
  /// `A` of the block's layers at the given input, by input group.
  func inputMoments(
    _ hidden: Matrix<Float>,
    length: Int,
    in workspace: inout BlockWorkspace
  ) throws -> [String: Matrix<Float>] {
    var moments = InputMoments()
    showInputs(BlockInput(hidden, length: length), in: &workspace, to: &moments)
    return try moments.means()
  }
}
