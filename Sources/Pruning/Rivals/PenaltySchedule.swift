import LinearAlgebra

/// The penalty `ρ` and how it follows the support, as published.
struct PenaltySchedule {
  /// What to do after a look at the support.
  enum Verdict: Equatable { case goOn, startAgain, end }

  /// `ρ`.
  private(set) var penalty: Float = 0.1
  /// Whether the support has moved under a penalty; a larger one would have frozen it.
  private var hasMoved = false
  private static let largestPenalty: Float = 1e6
  /// Below this the penalty is lost in the rounding of `H + ρ I`, whose diagonal is one.
  private static let smallestPenalty: Float = 1e-6

  /// Adapts the penalty to the share of the support that changed.
  ///
  /// As in the authors' program, a first penalty that hardly lets the support move is lowered
  /// fivefold, from the start; once it has moved, ADMM ends when it stands still.
  ///
  /// - Parameters:
  ///   - changed: The number of weights that entered or left the support.
  ///   - support: The support before.
  /// - Returns: What to do next.
  mutating func advance(changed: Int, of support: Matrix<Float>) -> Verdict {
    let kept = support.storage.reduce(0) { $0 + ($1 == 0 ? 0 : 1) }
    let share = Double(changed) / Double(max(1, kept))
    if share >= 0.005 {
      hasMoved = true
      penalty = min(Self.largestPenalty, penalty * (share >= 0.1 ? 1.3 : 1.2))
      return .goOn
    }
    if hasMoved {
      penalty = min(Self.largestPenalty, penalty * 1.1)
      return changed == 0 ? .end : .goOn
    }
    guard penalty > Self.smallestPenalty else { return changed == 0 ? .end : .goOn }
    penalty /= 5
    return .startAgain
  }
}
