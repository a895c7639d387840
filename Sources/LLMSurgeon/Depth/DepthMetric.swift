import Depth

/// How much a unit matters; units with low values go first.
public enum DepthMetric: String, CaseIterable, Sendable {
  /// The mean of 1 − cos between the hidden states before and after.
  case cosine
  /// The angle between the two at the last token of each window, in half turns.
  case angular
  /// The mean of ‖after − before‖₁.
  case l1
  /// The mean of ‖after − before‖₂.
  case l2
  /// The mean of ‖after − before‖₁ / ‖before‖₁.
  case relativeL1 = "relative-l1"
  /// The mean of ‖after − before‖₂ / ‖before‖₂.
  case relativeL2 = "relative-l2"
  /// The predicted rise of the loss when the unit is left out and the best linear map makes up for it;
  /// nats per token.
  case curvature
  /// The mean distance of the logits from those of the whole model, when the unit is left out.
  case logits
  /// The rise of the loss when the unit is left out; nats per token.
  case loss
  /// The mean rise of the loss over all orders in which units can go; nats per token.
  case shapley

  /// The score that the states before and after a unit give; nil where it takes more than those.
  func value(of scores: UpdateSums.Scores) -> Double? {
    switch self {
    case .cosine: scores.cosine
    case .angular: scores.angular
    case .l1: scores.l1
    case .l2: scores.l2
    case .relativeL1: scores.relativeL1
    case .relativeL2: scores.relativeL2
    case .curvature, .logits, .loss, .shapley: nil
    }
  }

  /// What the values are measured in, for a person.
  var unit: String {
    switch self {
    case .cosine: "1 − cos"
    case .angular: "half turns"
    case .l1, .l2: "norm of the update"
    case .relativeL1, .relativeL2: "share of the state's norm"
    case .logits: "distance of logits"
    case .curvature, .loss, .shapley: "nats per token"
    }
  }
}
