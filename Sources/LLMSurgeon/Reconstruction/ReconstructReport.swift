import Foundation
import Report

/// The errors of the windows of a reconstruction.
public struct ReconstructReport: Sendable {
  /// The name of the report in a checkpoint directory.
  static let fileName = "surgeon-reconstruction.json"

  private let written: WrittenReport<ReconstructionReport>

  init(_ report: ReconstructionReport) throws {
    written = WrittenReport(content: report, file: try report.json())
  }

  /// The figures.
  var report: ReconstructionReport { written.content }

  /// The bytes that are written beside a checkpoint.
  var file: [UInt8] { written.file }

  /// The report as a JSON document; `docs/retraining.md` describes it.
  public var json: String { written.json }

  /// The held-out perplexity before; nil if nothing was held out.
  public var perplexityBefore: Double? { report.lossBefore.map { exp($0) } }

  /// The held-out perplexity of the written checkpoint; nil if nothing was held out.
  public var perplexity: Double? { report.lossAfter.map { exp($0) } }

  /// A table of the windows' errors.
  ///
  /// - Parameters:
  ///   - columns: The terminal's width.
  ///   - isTerminal: Whether colours make sense.
  /// - Returns: Lines without a final newline.
  public func text(columns: Int, isTerminal: Bool) -> String {
    report.text(style: TerminalStyle(columns: columns, isTerminal: isTerminal))
  }
}

extension ReconstructionReport {
  /// The report of a reconstruction that has not begun.
  init(_ options: ReconstructOptions, _ setup: RetrainSetup) {
    self.init(
      programVersion: Program.version,
      model: setup.opened.recordedName,
      fingerprint: setup.fingerprint,
      window: "\(options.reconstruction.window)",
      inputs: options.reconstruction.inputs.rawValue,
      target: options.reconstruction.target.rawValue,
      training: TrainingRecord(options.training),
      sequences: setup.windows.count,
      length: setup.windows.length
    )
  }
}
