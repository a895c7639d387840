import Depth

/// How the update of what is gone is made up for in weights that stay.
///
/// A linear map of what the last part before the gap adds to the hidden state is fitted to what is
/// missing behind the gap, and multiplied into the last linear layer of that part, so that no
/// parameter is added (ReplaceMe, arXiv 2505.02819, which fits `full` without a constant).
public enum DepthEmulation: Sendable, Equatable {
  /// Not at all.
  case none
  /// A constant, where that layer has a bias to hold it.
  case bias
  /// A factor for each channel, and a constant where there is a bias.
  case diagonal
  /// A matrix, and a constant where there is a bias.
  case full
  /// A matrix that differs from the identity by one of this rank at most.
  case rank(Int)
  /// Blocks that go are merged into the one before them, weight by weight, without data (LaCo).
  case merge

  /// Reads `none`, `bias`, `diagonal`, `full`, `merge`, or `rank-` and a number from 1.
  ///
  /// - Returns: Nil for anything else.
  public init?(_ text: String) {
    switch text {
    case "none": self = .none
    case "bias": self = .bias
    case "diagonal": self = .diagonal
    case "full": self = .full
    case "merge": self = .merge
    default:
      let digits = text.dropFirst("rank-".count)
      guard text.hasPrefix("rank-"), digits.allSatisfy({ ("0"..."9").contains($0) }),
        let rank = Int(digits), rank >= 1
      else { return nil }
      self = .rank(rank)
    }
  }

  /// The form of the map; nil where none is fitted.
  var kind: Emulator.Kind? {
    switch self {
    case .none, .merge: nil
    case .bias: .bias
    case .diagonal: .diagonal
    case .full: .full
    case .rank(let rank): .rank(rank)
    }
  }
}

extension DepthEmulation: CustomStringConvertible {
  /// As it is read.
  public var description: String {
    switch self {
    case .none: "none"
    case .bias: "bias"
    case .diagonal: "diagonal"
    case .full: "full"
    case .rank(let rank): "rank-\(rank)"
    case .merge: "merge"
    }
  }
}
