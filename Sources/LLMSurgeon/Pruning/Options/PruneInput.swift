import ExactJSON
import Foundation
import Transformer

/// What a pruning takes its curvature from, opened and checked.
enum PruneInput: Sendable {
  /// Finished statistics of this model, and the windows behind them.
  case statistics(StatisticsDirectory, TokenWindows)
  /// Windows to calibrate on, of which later shots may draw others.
  case windows(TokenWindows, CalibrationLabels, ShotWindows)
  /// Nothing.
  case none

  /// Opens what the options name.
  ///
  /// - Throws: ``JobError`` if it cannot be read or belongs to another model.
  init(_ data: PruneData, opened: OpenedModel, fingerprint: String) throws {
    switch data {
    case .statistics(let folder):
      let statistics = try StatisticsDirectory(folder)
      try statistics.check(opened.model, fingerprint: fingerprint)
      self = .statistics(statistics, try statistics.windows())
    case .calibrate(let input, let choice, let labels):
      let drawn = ShotWindows(opened: opened, input: input, choice: choice)
      self = .windows(try drawn.windows(shot: 1), labels, drawn)
    case .none: self = .none
    }
  }

  /// The windows that losses are measured on.
  var windows: TokenWindows? {
    switch self {
    case .statistics(_, let windows), .windows(let windows, _, _): windows
    case .none: nil
    }
  }

  /// Where the labels come from.
  var labels: CalibrationLabels? {
    switch self {
    case .statistics(let statistics, _): statistics.manifest.labels
    case .windows(_, let labels, _): labels
    case .none: nil
    }
  }

  /// The seed of the windows and of sampled labels.
  var seed: UInt64? {
    switch self {
    case .statistics(let statistics, _): statistics.manifest.seed
    case .windows(_, _, let drawn): drawn.choice.seed
    case .none: nil
    }
  }

  /// Finds out before any work whether a second shot gets other windows than the first.
  ///
  /// - Throws: ``JobError`` if all windows of a token file are taken anyway.
  func checkFresh() throws {
    guard case .windows(let first, _, let drawn) = self,
      try drawn.windows(shot: 2) == first
    else { return }
    throw JobError.badSetting(
      "\(drawn.input.path) has no other windows for later shots: "
        + "take fewer (--samples), or a longer text"
    )
  }

  /// Whether the calibration rounds, or rounded, what goes through the model: the loss that it measures
  /// is then another model's.
  func isRounded(_ options: PruneOptions) -> Bool {
    guard case .statistics(let directory, _) = self else {
      return options.compute == .bfloat16 || options.memory.precision == .bfloat16
    }
    let manifest = directory.manifest
    return manifest.compute == .bfloat16 || manifest.activations == .bfloat16
  }

  /// What decides the curvature, for telling one run from another.
  var identity: JSONValue {
    // Statistics of the same windows may have been computed in another way.
    if case .statistics(let directory, _) = self { return directory.manifest.json }
    guard let windows, let labels, let seed else { return .null }
    return [
      "fingerprint": JSONValue(windows.fingerprint), "labels": JSONValue(labels.rawValue),
      "seed": JSONValue(String(seed)),
    ]
  }
}

/// The windows that shots are calibrated on, drawn when they are needed.
struct ShotWindows: Sendable {
  let opened: OpenedModel
  let input: TokenInput
  let choice: WindowChoice

  /// The seed of a shot's own windows; the first shot has that of the options.
  func seed(shot: Int) -> UInt64 { choice.seed &+ UInt64(shot - 1) }

  /// The windows of a shot, drawn with its own seed.
  func windows(shot: Int) throws -> TokenWindows {
    var own = choice
    own.seed = seed(shot: shot)
    return try opened.calibrationWindows(input, own)
  }
}
