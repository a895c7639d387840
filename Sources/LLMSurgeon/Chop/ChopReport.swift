import ExactJSON
public import Foundation
import Report

/// What became of a model from which blocks were removed before its pretraining went on.
public struct ChopReport: Sendable {
  /// The name of the report in a checkpoint directory.
  static let fileName = "surgeon-chop.json"

  private let written: WrittenReport<ChoppingReport>
  /// The time of the training, in seconds, without the measurements on the way; nil for a report that
  /// was read from a file.
  public let trainingSeconds: Double?
  /// How fast the model is before and after; nil where no query was given.
  public internal(set) var speeds: ChopSpeeds?

  init(_ report: ChoppingReport, seconds: Double?) throws {
    written = WrittenReport(content: report, file: try report.json())
    trainingSeconds = seconds
  }

  /// The figures.
  var report: ChoppingReport { written.content }

  /// The bytes that are written beside a checkpoint: without times, which no two runs share.
  var file: [UInt8] { written.file }

  /// The blocks that are left, in the numbers of the model as it came.
  public var kept: [Int] { report.removal.kept }

  /// The held-out perplexity of the model before its first block went; nil if nothing was held out.
  public var perplexityBefore: Double? { report.course.cuts.first?.lossBefore.map { exp($0) } }

  /// The held-out perplexity right after the last block went; nil if nothing was held out.
  public var perplexityCut: Double? { report.course.cuts.last?.lossAfter.map { exp($0) } }

  /// The held-out perplexity of the written checkpoint; nil if nothing was held out.
  public var perplexity: Double? { report.training.writtenLoss.map { exp($0) } }

  /// The report as a JSON document with the times; `docs/chop.md` describes it.
  public var json: String {
    guard var document = try? JSONParser.parse(file).object else { return written.json }
    if let trainingSeconds { document["timing"] = timing(cost: trainingSeconds) }
    return String(decoding: JSONWriter.write(.object(document), indent: 2), as: UTF8.self)
      .trimmingSuffix("\n")
  }

  private func timing(cost: Double) -> JSONValue {
    var timing = JSONObject()
    timing["trainingSeconds"] = JSONValue(cost)
    if let speeds {
      timing["before"] = speeds.before.value
      timing["after"] = speeds.after.value
      timing["breakEvenQueries"] = speeds.breakEven(cost: cost).map { JSONValue($0) } ?? .null
    }
    return .object(timing)
  }

  /// Lines for a person, without a final line feed.
  public var text: String {
    var lines = report.lines
    if let trainingSeconds {
      let steps = Quantity.counted(report.course.steps.count, "step")
      lines.append(("training", "\(steps) in \(Quantity.duration(seconds: trainingSeconds))"))
      if let speeds { lines += speeds.lines(cost: trainingSeconds) }
    }
    return TextLines.aligned(lines)
  }

  /// Writes one self-contained page with the curve of the loss.
  ///
  /// - Parameter file: Where to.
  /// - Throws: `FileError` if it cannot be written.
  public func writeHTML(to file: URL) throws { try write(try report.html(), to: file.path) }
}

/// The times of one query before blocks went and after, on this machine.
public struct ChopSpeeds: Sendable, Equatable {
  /// Those of the model as it came.
  public let before: GenerationSpeed
  /// Those of the written model.
  public let after: GenerationSpeed

  /// After how many queries the training has paid for itself.
  ///
  /// - Parameter cost: The time of the training, in seconds.
  /// - Returns: Its quotient by the time that a query is faster; nil if it is not.
  public func breakEven(cost: Double) -> Double? {
    let saving = before.seconds - after.seconds
    return saving > 0 ? cost / saving : nil
  }

  /// The times for a person.
  func lines(cost: Double) -> [(name: String, value: String)] {
    let (old, new) = (before.seconds, after.seconds)
    let times = "\(Quantity.duration(seconds: old)) → \(Quantity.duration(seconds: new))"
    let queries = breakEven(cost: cost).map { "after \(Quantity.figure($0)) such queries" }
    return [
      (
        "query",
        "\(before.promptTokens) + \(before.newTokens) tokens: \(times) "
          + "(\(Quantity.figure(old / new)) times as fast)"
      ),
      ("break-even", queries ?? "none: a query takes no less time"),
    ]
  }
}
