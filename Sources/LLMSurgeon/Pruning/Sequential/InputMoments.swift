import LinearAlgebra
import Transformer

/// Gathers `A` of the layers of one block while a forward pass shows their inputs.
struct InputMoments: LinearObserver {
  /// `A` of each input group, in the order shown.
  private var sums = MomentSums()

  mutating func observe(_ traffic: [LinearTraffic]) {
    sums.add(
      traffic.map { shown in
        MomentSums.Samples(
          name: shown.group.name,
          width: shown.group.inputs,
          appendsOne: false,
          pieces: shown.inputs
        )
      }
    )
  }

  /// The mean of `x xᵀ` for each input group, by the group's name, without a bias's row and column.
  ///
  /// - Throws: ``JobError/notFinite(_:)`` naming the group whose mean is no number.
  func means() throws -> [String: Matrix<Float>] {
    try sums.means()
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
