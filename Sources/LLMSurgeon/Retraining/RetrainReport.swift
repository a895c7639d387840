public import Foundation
import Report
import Tensors
import Training
import Transformer

/// The course of a training and what it changed.
public struct RetrainReport: Sendable {
  /// The name of the report in a checkpoint directory.
  static let fileName = "surgeon-retraining.json"

  private let written: WrittenReport<RetrainingReport>

  init(_ report: RetrainingReport) throws {
    written = WrittenReport(content: report, file: try report.json())
  }

  /// The figures.
  var report: RetrainingReport { written.content }

  /// The bytes that are written beside a checkpoint.
  var file: [UInt8] { written.file }

  /// The report as a JSON document; `docs/retraining.md` describes it.
  public var json: String { written.json }

  /// The held-out perplexity before the first step; nil if nothing was held out.
  public var perplexityBefore: Double? { report.course.heldOut.first.map { exp($0.loss) } }

  /// The held-out perplexity of the written checkpoint; nil if nothing was held out.
  public var perplexity: Double? { report.writtenLoss.map { exp($0) } }

  /// A few lines for a person.
  public var text: String { report.text }

  /// Writes one self-contained page with the curve of the loss.
  ///
  /// - Parameter file: Where to.
  /// - Throws: `FileError` if it cannot be written.
  public func writeHTML(to file: URL) throws { try write(try report.html(), to: file.path) }
}

extension RetrainingReport {
  /// The report of a training that has not begun.
  init(
    _ setup: RetrainSetup,
    _ training: TrainingChoice,
    _ data: TrainingData,
    trainedValues: Int
  ) {
    self.init(
      programVersion: Program.version,
      model: setup.opened.recordedName,
      fingerprint: setup.fingerprint,
      settings: TrainingRecord(training),
      tokens: TokensRecord(
        source: setup.windows.source,
        windows: setup.windows.count,
        length: setup.windows.length,
        batch: data.batch,
        accumulation: data.accumulation
      ),
      heldOut: setup.heldOut.map { HeldOutRecord($0.source, $0.count, $0.length) },
      trainedValues: trainedValues,
      parameters: setup.opened.parameters
    )
  }

  /// Counts the zeros of the weight matrices before and after.
  mutating func count(zerosOf before: DecoderModel, _ after: DecoderModel) throws {
    weights = before.linears.reduce(0) { $0 + $1.outputs * $1.inputs }
    zerosBefore = try before.linears.reduce(0) { sum, linear in
      try sum + before.source.floats(linear.weight).count { $0 == 0 }
    }
    zerosAfter = try after.linears.reduce(0) { sum, linear in
      try sum + after.source.floats(linear.weight).count { $0 == 0 }
    }
  }
}

extension TrainingRecord {
  /// What the report says of the settings.
  init(_ training: TrainingChoice) {
    self.init(
      groups: training.groups.sortedGroups.map(\.rawValue),
      steps: training.steps,
      learningRate: training.learningRate,
      schedule: training.schedule.rawValue,
      warmUp: training.warmUp,
      finalRate: training.finalRate,
      weightDecay: training.weightDecay,
      clip: training.clip,
      rank: training.rank,
      alpha: training.alpha,
      seed: training.seed
    )
    (meanDecay, squareDecay) = (training.meanDecay, training.squareDecay)
  }
}
