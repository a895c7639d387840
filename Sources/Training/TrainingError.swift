/// Why values cannot be trained or merged.
package enum TrainingError: Error, Equatable {
  /// A setting is outside of its range.
  case badSetting(name: String, found: String, expected: String)
  /// A gradient is NaN or infinite.
  case gradientNotFinite(parameter: String, step: Int)
  /// A trained value is NaN or infinite.
  case valueNotFinite(parameter: String, step: Int)
  /// Low-rank factors would fill the zeros of a pruned matrix.
  case fillsZeros(matrix: String, zeros: Int)
  /// A merged matrix has a number where the pruned one has none.
  case lostZero(matrix: String, index: Int)
}

extension TrainingError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .badSetting(let name, let found, let expected):
      "the \(name) is \(found); it must be \(expected)"
    case .gradientNotFinite(let parameter, let step):
      "the gradient of \(parameter) is not finite at step \(step); take a smaller learning rate"
    case .valueNotFinite(let parameter, let step):
      "\(parameter) is not finite after step \(step); take a smaller learning rate"
    case .fillsZeros(let matrix, let zeros):
      "\(matrix) has \(zeros) zeros, which plain LoRA would fill when it is merged; "
        + "train mask-lora, scale-lora, spp or lora-prune instead"
    case .lostZero(let matrix, let index):
      "the merged \(matrix) is not zero at element \(index), which was pruned; nothing is written"
    }
  }
}
