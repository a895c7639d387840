/// Why units cannot be scored or chosen.
package enum DepthError: Error, Equatable {
  /// More blocks are to go than the position schemes can spare.
  case tooMany(count: Int, blocks: Int)
  /// A score that is no number.
  case scoreNotFinite(unit: Int)
  /// A linear map cannot be fitted to what was seen.
  case fitFailed(reason: String)
}

extension DepthError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tooMany(let count, let blocks):
      "\(count) of \(blocks) blocks cannot go: the first and the last block stay, "
        + "so at most \(max(0, blocks - 2)) can"
    case .scoreNotFinite(let unit):
      "the score of unit \(unit) is NaN or infinite; look for an overflow in the model's weights"
    case .fitFailed(let reason): "no linear map can be fitted: \(reason)"
    }
  }
}
