import ExactJSON
import Foundation
import Transformer

/// What a pruning takes its curvature from, opened and checked.
enum PruneInput: Sendable {
  /// Finished statistics of this model, and the windows behind them.
  case statistics(StatisticsDirectory, TokenWindows)
  /// Windows to calibrate on.
  case windows(TokenWindows, CalibrationLabels, seed: UInt64)
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
      let windows = try opened.calibrationWindows(input, choice)
      self = .windows(windows, labels, seed: choice.seed)
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
    case .windows(_, _, let seed): seed
    case .none: nil
    }
  }

  /// What decides the curvature, for telling one run from another.
  var identity: JSONValue {
    guard let windows, let labels, let seed else { return .null }
    return [
      "fingerprint": JSONValue(windows.fingerprint), "labels": JSONValue(labels.rawValue),
      "seed": JSONValue(String(seed)),
    ]
  }
}
