/// How the target of several shots rises.
public enum ShotRamp: String, CaseIterable, Sendable {
  /// Each shot removes the same share.
  case linear
  /// The early shots remove most: after the share `t` of the shots, `1 − (1 − t)³` of the target is
  /// removed (Zhu and Gupta, 2017).
  case cubic

  /// The share of the whole target, 0 to 1, that is removed after a shot.
  ///
  /// - Parameters:
  ///   - shot: Which one, from 1.
  ///   - count: The number of shots.
  /// - Returns: 1 after the last shot.
  func share(after shot: Int, of count: Int) -> Double {
    guard shot < count else { return 1 }
    let time = Double(shot) / Double(count)
    switch self {
    case .linear: return time
    case .cubic: return 1 - (1 - time) * (1 - time) * (1 - time)
    }
  }
}

/// Which windows the later shots are calibrated on.
public enum ShotData: String, CaseIterable, Sendable {
  /// Those of the first shot.
  case same
  /// Others for each shot: shot `n` draws with the seed raised by `n − 1`.
  case fresh
}

/// What differs between the shots of one pruning.
public struct ShotSchedule: Sendable, Equatable {
  /// How the target rises.
  public var ramp: ShotRamp
  /// Which windows are calibrated on.
  public var data: ShotData
  /// Where the perplexity is measured after each shot, in windows of the calibration's length; nil
  /// for nowhere.
  public var heldOut: TokenInput?
  /// How the model is trained between the shots; nil for not at all.
  public var correction: ShotCorrection?

  /// The same windows, equal shares, nothing measured and nothing trained, unless stated.
  public init(
    ramp: ShotRamp = .linear,
    data: ShotData = .same,
    heldOut: TokenInput? = nil,
    correction: ShotCorrection? = nil
  ) {
    self.correction = correction
    self.ramp = ramp
    self.data = data
    self.heldOut = heldOut
  }
}
