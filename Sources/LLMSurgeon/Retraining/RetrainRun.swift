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
  private let optimizer: AdamW
  private let course: LearningRate
  private var order: TrainingWindows
  private var trained: TrainedModel
  /// The steps that are done.
  private var step = 0
  private(set) var report: RetrainingReport

  /// A training that has not begun.
  init(_ options: RetrainOptions, _ setup: RetrainSetup) throws {
    self.options = options
    self.setup = setup
    optimizer = try options.training.optimizer()
    course = try options.training.course()
    order = TrainingWindows(setup.windows, seed: options.training.seed)
    let model = try setup.extension.model(of: setup.opened, with: setup.opened.directory.tensors)
    trained = try TrainedModel(model, options.training)
    report = try RetrainingReport(options, setup, trained)
  }

  /// The steps between two measurements.
  private var interval: Int { options.data.interval ?? max(1, options.training.steps / 10) }

  /// Makes the steps that are not made yet.
  ///
  /// - Parameters:
  ///   - folder: Where the state is kept.
  ///   - progress: Hears how it goes on.
  /// - Throws: What reading the model, computing, and writing throw.
  mutating func finish(in folder: URL, progress: any ProgressListener) throws {
    let states = RetrainStates(folder: folder)
    if let saved = try states.last(like: trained.parameters) {
      (step, trained.parameters, report.course) = (saved.step, saved.parameters, saved.course)
      progress.note("continuing an unfinished training after step \(step)")
    } else {
      try measure(progress: progress)
    }
    progress.begin("retraining", total: course.steps, unit: "steps")
    defer { progress.end() }
    progress.advance(to: step)
    while step < course.steps {
      try makeStep()
      if step % interval == 0 || step == course.steps {
        try measure(progress: progress)
        let state = RetrainStates.State(
          step: step,
          parameters: trained.parameters,
          course: report.course
        )
        try states.save(state)
      }
      progress.advance(to: step)
    }
    try measureMerged(progress: progress)
  }

  private mutating func makeStep() throws {
    let data = options.data
    var pass = try TrainingPass(trained)
    var losses: [Double] = []
    for batch in 0..<data.accumulation {
      let place = (step * data.accumulation + batch) * data.batch
      losses += try pass.add(try order.sequences(from: place, count: data.batch))
    }
    step += 1
    let predicted = losses.count * (order.windows.length - 1)
    let rate = course.rate(step: step)
    let norm = try optimizer.update(
      &trained.parameters,
      pass.gradients,
      step: step,
      rate: rate,
      scale: 1 / Double(predicted)
    )
    let loss = losses.reduce(0, +) / Double(losses.count)
    report.course.steps.append(.init(loss: loss, rate: rate, gradientNorm: norm))
  }

  /// Measures the held-out loss with the values of the moment, and says how it goes.
  private mutating func measure(progress: any ProgressListener) throws {
    var line = "step \(step) of \(course.steps)"
    let recent = report.course.steps.suffix(interval).map(\.loss)
    if !recent.isEmpty {
      let mean = recent.reduce(0, +) / Double(recent.count)
      line += String(format: ": loss %.4f", mean)
    }
    if let windows = setup.heldOut {
      let loss = try trained.base.with(trained).meanLoss(windows, progress: SilentProgress())
      report.course.heldOut.append(.init(step: step, loss: loss))
      line += String(format: "%@ held-out perplexity %.3f", recent.isEmpty ? ":" : ",", exp(loss))
    }
    if !recent.isEmpty || setup.heldOut != nil { progress.note(line) }
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
    try trained.write(to: &merged)
    let source = OverlayTensors(base: trained.base.source, front: merged, isRounded: false)
    return trained.base.with(source)
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
