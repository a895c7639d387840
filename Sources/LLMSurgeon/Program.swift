/// What the program says of itself.
public enum Program {
  /// The version, as in the change log.
  public static let version = "0.1.0"
}

/// Where the labels of a calibration come from.
public enum CalibrationLabels: String, Sendable, CaseIterable {
  /// The tokens of the text: the empirical Fisher matrix.
  case empirical
  /// Drawn from the model's own distribution, one per position: the true Fisher matrix.
  case sampled
}
