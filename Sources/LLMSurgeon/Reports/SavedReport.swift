import ExactJSON
public import Foundation
import Report

/// The report of a pruning, a retraining, or a removal of blocks with training, read from its file.
public enum SavedReport: Sendable {
  /// That of ``prune(_:progress:)``.
  case prune(PruneReport)
  /// That of ``retrain(_:progress:)``.
  case retrain(RetrainReport)
  /// That of ``chop(_:progress:)``, without its times.
  case chop(ChopReport)

  /// Reads a report.
  ///
  /// - Parameter place: The report, or the checkpoint directory that it lies in; the report of a pruning
  ///   precedes those of later trainings.
  /// - Throws: ``JobError`` if there is none, `ReportError` if it is damaged.
  public init(at place: URL) throws {
    let bytes = try readBytes(of: Self.file(at: place))
    let document: JSONValue
    do { document = try JSONParser.parse(bytes) } catch { throw ReportError.malformed(error) }
    if document["removal"] != nil {
      self = .chop(try ChopReport(ChoppingReport(document), seconds: nil))
    } else if document["course"] != nil {
      self = .retrain(try RetrainReport(RetrainingReport(document)))
    } else {
      self = .prune(try PruneReport(json: bytes))
    }
  }

  private static func file(at place: URL) -> URL {
    let manager = FileManager.default
    guard (try? manager.contentsOfDirectory(atPath: place.path)) != nil else { return place }
    let names = [PruneReport.fileName, ChopReport.fileName, RetrainReport.fileName]
    let name = names.first { manager.fileExists(atPath: place.appending(path: $0).path) }
    return place.appending(path: name ?? PruneReport.fileName)
  }

  /// Lines for a terminal.
  ///
  /// - Parameters:
  ///   - columns: The terminal's width.
  ///   - isTerminal: Whether colours and bars make sense.
  /// - Returns: Lines without a final newline.
  /// - Throws: `ReportError` if a figure is out of its range.
  public func text(columns: Int, isTerminal: Bool) throws -> String {
    switch self {
    case .prune(let report): try report.text(columns: columns, isTerminal: isTerminal)
    case .retrain(let report): report.text
    case .chop(let report): report.text
    }
  }

  /// Writes one self-contained page.
  ///
  /// - Parameter file: Where to.
  /// - Throws: `FileError` if it cannot be written.
  public func writeHTML(to file: URL) throws {
    switch self {
    case .prune(let report): try report.writeHTML(to: file)
    case .retrain(let report): try report.writeHTML(to: file)
    case .chop(let report): try report.writeHTML(to: file)
    }
  }

  /// Writes the JSON document.
  ///
  /// - Parameter file: Where to.
  /// - Throws: `FileError` if it cannot be written.
  public func writeJSON(to file: URL) throws {
    switch self {
    case .prune(let report): try report.writeJSON(to: file)
    case .retrain(let report): try write(report.file, to: file.path)
    case .chop(let report): try write(report.file, to: file.path)
    }
  }
}
