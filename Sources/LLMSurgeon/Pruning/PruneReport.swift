public import Foundation
import Report

/// Where the budget of a pruning went and what it cost.
public struct PruneReport: Sendable {
  /// The name of the report in a checkpoint directory.
  static let fileName = "surgeon-report.json"

  let report: PruningReport
  private let jsonBytes: [UInt8]

  init(_ report: PruningReport) throws {
    self.report = report
    jsonBytes = try report.json()
  }

  /// Reads the report of a checkpoint that ``prune(_:progress:)`` wrote.
  ///
  /// - Parameter checkpoint: The directory.
  /// - Throws: ``JobError`` if there is none, `ReportError` if it is damaged.
  public init(checkpoint: URL) throws {
    try self.init(json: try readBytes(of: checkpoint.appending(path: Self.fileName)))
  }

  /// Reads a report.
  ///
  /// - Parameter json: The document.
  /// - Throws: `ReportError` if it is damaged.
  init(json: [UInt8]) throws { try self.init(PruningReport(json: json)) }

  /// The report as a JSON document; `docs/report-format.md` describes it.
  public var json: String { String(decoding: jsonBytes, as: UTF8.self).trimmingSuffix("\n") }

  /// The bytes that are written beside a checkpoint.
  var file: [UInt8] { jsonBytes }

  /// The share of the prunable weights that is removed.
  public var shareRemoved: Double { report.total.shareRemoved }

  /// Tables for a terminal.
  ///
  /// - Parameters:
  ///   - columns: The terminal's width.
  ///   - isTerminal: Whether colours and bars make sense.
  /// - Returns: Lines without a final newline.
  /// - Throws: `ReportError` if a figure is out of its range.
  public func text(columns: Int, isTerminal: Bool) throws -> String {
    try report.terminalText(style: TerminalStyle(columns: columns, isTerminal: isTerminal))
      .trimmingSuffix("\n")
  }

  /// Writes one self-contained page.
  ///
  /// - Parameter file: Where to.
  /// - Throws: `FileError` if it cannot be written.
  public func writeHTML(to file: URL) throws { try write(try report.html(), to: file.path) }

  /// Writes the JSON document.
  ///
  /// - Parameter file: Where to.
  /// - Throws: `FileError` if it cannot be written.
  public func writeJSON(to file: URL) throws { try write(jsonBytes, to: file.path) }
}

extension String {
  /// The text without one trailing piece.
  func trimmingSuffix(_ suffix: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
  }
}
