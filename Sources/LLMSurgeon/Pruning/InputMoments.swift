import Curvature
import LinearAlgebra
import Transformer

/// Gathers `A` of the layers of one block while a forward pass shows their inputs.
struct InputMoments: InputObserver {
  /// `A` of each input group, by the group's name.
  private var moments: [String: SecondMoment] = [:]

  mutating func observe(_ group: InputGroup, inputs: Matrix<Float>) {
    moments[
      group.name,
      default: SecondMoment(width: group.inputs, appendsOne: false)
    ].add(inputs.view)
  }

  /// The mean of `x xᵀ` for each input group, by the group's name, without a bias's row and column.
  ///
  /// - Throws: ``JobError/notFinite(_:)`` naming the group whose mean is no number.
  func means() throws -> [String: Matrix<Float>] {
    var result: [String: Matrix<Float>] = [:]
    for (group, moment) in moments.sorted(by: { $0.key < $1.key }) {
      let mean = try moment.mean()
      guard mean.isFinite else { throw JobError.notFinite("the input of \(group)") }
      result[group] = mean
    }
    return result
  }
}

extension DecoderBlock {
  /// `A` of the block's layers at the given input, by input group.
  func inputMoments(_ hidden: Matrix<Float>, length: Int) throws -> [String: Matrix<Float>] {
    var moments = InputMoments()
    showInputs(hidden, length: length, to: &moments)
    return try moments.means()
  }
}
