import DemonstrationModel
public import Foundation
import Pruning
import Report

/// The embedded model, dense and pruned in several ways.
public struct Demonstration: Sendable {
  let comparison: ComparisonReport
  /// The page with the pictures.
  public let page: URL

  /// The comparison as a table.
  ///
  /// - Parameters:
  ///   - columns: The terminal's width.
  ///   - isTerminal: Whether colours and bars make sense.
  /// - Returns: Lines without a final newline.
  /// - Throws: `ReportError` if a figure is out of its range.
  public func text(columns: Int, isTerminal: Bool) throws -> String {
    let style = TerminalStyle(columns: columns, isTerminal: isTerminal)
    let table = try comparison.terminalText(style: style).trimmingSuffix("\n")
    return "\(table)\nreport: \(page.relativePath)"
  }
}

/// Prunes the embedded model by magnitude and by curvature, in three structures, and measures what
/// it cost.
///
/// - Parameters:
///   - output: The folder for the statistics, the checkpoints and the page.
///   - overwrite: Whether an earlier demonstration is replaced.
///   - progress: Hears how it goes on.
/// - Returns: The comparison.
/// - Throws: ``JobError`` or what calibrating, pruning and evaluating throw.
public func demonstrate(
  output: URL,
  overwrite: Bool,
  progress: any ProgressListener = SilentProgress()
) throws -> Demonstration {
  let page = output.appending(path: "report.html")
  let mark = "README"
  guard FileManager.default.fileExists(atPath: DemonstrationModel.directory.path) else {
    throw JobError.unreadable(
      path: DemonstrationModel.directory.lastPathComponent,
      reason: "the embedded model lies in a .resources folder that must stay beside the program"
    )
  }
  try checkOutput(output, mark: mark, overwrite: overwrite)
  try makeDirectory(output)
  // Written first, so that a demonstration that was interrupted can be replaced too.
  try write(
    Array("A demonstration of surgeon; report.html shows it.\n".utf8),
    to: output.appending(path: mark).path
  )
  let stage = DemonstrationStage(output: output, progress: progress)
  let dense = try stage.perplexity(of: DemonstrationModel.directory.path)
  let statistics = try stage.calibrate()
  var comparison = ComparisonReport(
    title: "Demonstration",
    model: "the embedded model",
    protocolText: dense.protocolText,
    densePerplexity: dense.perplexity,
    rows: [],
    reports: []
  )
  for (structure, target) in DemonstrationStage.cases {
    for method in [Method.magnitude, .surgeon] {
      let removal = RemovalChoice(structure: structure, target: target, method: method)
      try stage.prune(removal, statistics: statistics, into: &comparison)
    }
  }
  try write(try comparison.htmlWithoutTimes(), to: page.path)
  return Demonstration(comparison: comparison, page: page)
}

/// Where a demonstration happens.
private struct DemonstrationStage {
  /// What is removed, and how much of it: shares that the model bears.
  static let cases: [(structure: Structure, target: Double)] = [
    (.element, 0.5), (.nm(kept: 2, of: 4), 0.5), (.rowsColumns, 0.3),
  ]
  private static let windowLength = 256

  let output: URL
  let progress: any ProgressListener

  func perplexity(of model: String) throws -> Evaluation {
    try evaluate(
      EvaluationOptions(
        model: model,
        input: .text([DemonstrationModel.testText]),
        length: Self.windowLength
      ),
      progress: progress
    )
  }

  func calibrate() throws -> URL {
    let folder = output.appending(path: "statistics", directoryHint: .isDirectory)
    _ = try LLMSurgeon.calibrate(
      CalibrationOptions(
        model: DemonstrationModel.directory.path,
        input: .text([DemonstrationModel.calibrationText]),
        windows: WindowChoice(samples: 64, length: Self.windowLength),
        output: folder,
        overwrite: true
      ),
      progress: progress
    )
    return folder
  }

  func prune(
    _ removal: RemovalChoice,
    statistics: URL,
    into comparison: inout ComparisonReport
  ) throws {
    let name = "\(removal.structure)-\(removal.method.rawValue)".replacing(":", with: "-")
    let folder = output.appending(path: name, directoryHint: .isDirectory)
    progress.note("\(removal.structure), \(removal.method.rawValue)")
    let start = ContinuousClock.now
    let report = try LLMSurgeon.prune(
      PruneOptions(
        model: DemonstrationModel.directory.path,
        data: .statistics(statistics),
        removal: removal,
        output: folder,
        overwrite: true
      ),
      progress: progress
    ).report
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    comparison.rows.append(
      ComparisonReport.Row(
        structure: "\(removal.structure)",
        target: report.settings.targetShare,
        method: report.settings.method,
        perplexity: try perplexity(of: folder.path).perplexity,
        shareRemoved: report.total.shareRemoved,
        seconds: seconds
      )
    )
    if removal.method == .surgeon { comparison.reports.append(report) }
  }
}

extension Evaluation {
  /// How the perplexity was measured, in one sentence.
  fileprivate var protocolText: String {
    "Perplexity on \(source), which the model wrote itself: \(windows) windows of \(length) tokens "
      + "without overlap, mean cross entropy of the predicted positions, float32."
  }
}

extension ComparisonReport {
  /// The page without the seconds, which differ between equal runs.
  fileprivate func htmlWithoutTimes() throws -> [UInt8] {
    var copy = self
    for index in copy.rows.indices { copy.rows[index].seconds = nil }
    return try copy.html()
  }
}
