import Checkpoint
import Export
import ExactJSON
import Foundation
import Report
import Tensors
import Training
import Transformer

/// The steps of one training.
struct RetrainRun: ResumableRun {
  let options: RetrainOptions
  let setup: RetrainSetup
  private let course: LearningRate
  private var trainer: Trainer
  private(set) var report: RetrainingReport

  /// A training that has not begun.
  init(_ options: RetrainOptions, _ setup: RetrainSetup) throws {
    self.options = options
    self.setup = setup
    course = try options.training.course()
    let model = try setup.extension.model(of: setup.opened, with: setup.opened.directory.tensors)
    trainer = try Trainer(
      TrainedModel(model, options.training),
      options.training,
      setup.windows,
      batch: options.data.batch,
      accumulation: options.data.accumulation
    )
    report = RetrainingReport(
      setup,
      options.training,
      options.data,
      trainedValues: trainer.trained.trainedCount
    )
  }

  /// The steps between two measurements.
  private var interval: Int { options.data.interval ?? max(1, options.training.steps / 10) }

  mutating func finish(in folder: URL, progress: any ProgressListener) throws {
    let states = RetrainStates(folder: folder)
    if let saved = try states.last(like: { _ in trainer.trained.parameters }) {
      (trainer.trained.parameters, trainer.course) = (saved.parameters, saved.course)
      progress.note("continuing an unfinished training after step \(trainer.step)")
    } else {
      try measure(progress: progress)
    }
    progress.begin("retraining", total: course.steps, unit: "steps")
    defer { progress.end() }
    progress.resume(at: trainer.step)
    while trainer.step < course.steps {
      try trainer.makeStep(rate: course.rate(step: trainer.step + 1))
      if trainer.step % interval == 0 || trainer.step == course.steps {
        try measure(progress: progress)
        let state = RetrainStates.State(
          step: trainer.step,
          parameters: trainer.trained.parameters,
          course: trainer.course
        )
        try states.save(state)
      }
      progress.advance(to: trainer.step)
    }
    report.course = trainer.course
    try measureMerged(progress: progress)
  }

  /// Measures the held-out loss with the values of the moment, and says how it goes.
  private mutating func measure(progress: any ProgressListener) throws {
    try trainer.measure(setup.heldOut, of: course.steps, interval: interval, progress: progress)
  }

  /// Measures the loss of what is written: merged, and rounded as the checkpoint is.
  private mutating func measureMerged(progress: any ProgressListener) throws {
    let written = try writtenModel()
    if let windows = setup.heldOut {
      report.writtenLoss = try written.meanLoss(windows, progress: SilentProgress())
    }
    try report.count(zerosOf: setup.opened.model, written)
  }

  /// The model as it is written, with zeros checked.
  private func writtenModel() throws -> DecoderModel {
    var merged = MemoryTensors()
    try trainer.trained.write(to: &merged)
    let base = trainer.trained.base
    let source = OverlayTensors(base: base.source, front: merged, isRounded: false)
    return base.with(source)
  }

  /// Writes the model with the trained values, and the report beside it.
  func write(progress: any ProgressListener) throws -> RetrainReport {
    let report = try RetrainReport(report)
    try setup.opened.write(
      try writtenModel(),
      setup,
      files: [RetrainReport.fileName: report.file],
      to: (options.output, options.overwrite),
      progress: progress
    )
    return report
  }

  /// Everything that decides what the run computes.
  var identity: JSONValue {
    [
      "program": JSONValue("surgeon \(Program.version)"), "job": "retrain",
      "model": JSONValue(setup.fingerprint), "data": JSONValue(setup.windows.fingerprint),
      "heldOut": setup.heldOut.map { JSONValue($0.fingerprint) } ?? .null,
      "batch": JSONValue(options.data.batch),
      "accumulation": JSONValue(options.data.accumulation), "interval": JSONValue(interval),
      "training": options.training.identity,
    ]
  }
}

extension TrainingChoice {
  /// Everything that decides what is trained and how.
  var identity: JSONValue {
    [
      "groups": .array(groups.sortedGroups.map { JSONValue($0.rawValue) }),
      "steps": JSONValue(steps), "learningRate": JSONValue(learningRate),
      "schedule": JSONValue(schedule.rawValue), "warmUp": JSONValue(warmUp),
      "finalRate": JSONValue(finalRate), "weightDecay": JSONValue(weightDecay),
      "clip": clip.map { JSONValue($0) } ?? .null, "rank": JSONValue(rank),
      "alpha": JSONValue(alpha), "addsBiases": .bool(addsBiases),
      "seed": JSONValue(String(seed)),
    ]
  }
}
