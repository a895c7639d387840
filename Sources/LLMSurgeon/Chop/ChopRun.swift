import ExactJSON
import Export
import Foundation
import Report
import Training
import Transformer

/// The steps and removals of one run.
struct ChopRun: ResumableRun {
  let options: ChopOptions
  let setup: RetrainSetup
  let plan: ChopPlan
  private(set) var trainer: Trainer
  /// The blocks that are left.
  private(set) var kept: [Int]
  /// The time of the steps, in seconds.
  private(set) var seconds = 0.0
  /// The held-out loss of the written checkpoint.
  private(set) var writtenLoss: Double?

  /// A run that has not begun.
  init(_ options: ChopOptions, _ setup: RetrainSetup, _ plan: ChopPlan) throws {
    self.options = options
    self.setup = setup
    self.plan = plan
    kept = plan.kept(in: 0)
    trainer = try Trainer(
      TrainedModel(setup.opened.model, options.training),
      options.training,
      setup.windows,
      batch: options.data.batch,
      accumulation: options.data.accumulation
    )
  }

  /// The steps between two measurements.
  private var interval: Int { options.data.interval ?? max(1, plan.steps / 10) }

  mutating func finish(in folder: URL, progress: any ProgressListener) throws {
    let states = RetrainStates(folder: folder)
    if try resume(from: states) {
      progress.note("continuing an unfinished run after step \(trainer.step)")
    } else {
      try measure(progress: progress)
    }
    progress.begin("training", total: plan.steps, unit: "steps")
    defer { progress.end() }
    progress.resume(at: trainer.step)
    try removeWhatIsDue(progress: progress)
    var teacher = try makeTeacher()
    while trainer.step < plan.steps {
      try makeStep(teacher)
      if trainer.step % interval == 0 || trainer.step == plan.steps {
        try measure(progress: progress)
        try save(in: states)
      }
      if try removeWhatIsDue(progress: progress) { teacher = try makeTeacher() }
      progress.advance(to: trainer.step)
    }
    guard let heldOut = setup.heldOut else { return }
    writtenLoss = try writtenModel().meanLoss(heldOut, progress: SilentProgress())
  }

  /// Goes back to the last state, if there is one.
  private mutating func resume(from states: RetrainStates) throws -> Bool {
    let saved = try states.last { step in
      try keep(plan.kept(in: step))
      return trainer.trained.parameters
    }
    guard let saved else { return false }
    trainer.trained.parameters = saved.parameters
    trainer.course = saved.course
    seconds = saved.seconds
    return true
  }

  /// Leaves the other blocks out.
  private mutating func keep(_ blocks: [Int]) throws {
    trainer.trained = try trainer.trained.keeping(blocks, of: kept, in: setup.opened)
    kept = blocks
  }

  private func save(in states: RetrainStates) throws {
    let state = RetrainStates.State(
      step: trainer.step,
      parameters: trainer.trained.parameters,
      course: trainer.course,
      seconds: seconds
    )
    try states.save(state)
  }

  /// The whole model as a teacher of what is left of it, where it is to teach; not before anything
  /// went.
  private func makeTeacher() throws -> Teacher? {
    guard options.distillation.isUsed, kept.count < plan.blocks else { return nil }
    return try Teacher(setup.opened.model, options.distillation, of: kept)
  }

  private mutating func makeStep(_ teacher: Teacher?) throws {
    let start = ContinuousClock.now
    try trainer.makeStep(rate: plan.rate(step: trainer.step + 1), teacher: teacher)
    seconds += start.duration(to: .now).seconds
  }

  /// Measures the held-out loss, and says how it goes.
  private mutating func measure(progress: any ProgressListener) throws {
    try trainer.measure(setup.heldOut, of: plan.steps, interval: interval, progress: progress)
  }

  /// Removes the blocks that go at this step.
  ///
  /// - Returns: Whether there were any.
  @discardableResult
  private mutating func removeWhatIsDue(progress: any ProgressListener) throws -> Bool {
    let step = trainer.step
    let gone = plan.removed(after: step)
    guard !gone.isEmpty else { return false }
    if trainer.course.heldOut.last?.step != step, setup.heldOut != nil {
      try measure(progress: progress)
    }
    try keep(plan.kept(after: step))
    let loss = try setup.heldOut.map {
      try trainer.model.meanLoss($0, progress: SilentProgress())
    }
    let cut = TrainingCourse.Cut(
      step: step,
      blocks: gone,
      lossBefore: trainer.course.heldOut.last?.loss,
      lossAfter: loss
    )
    trainer.course.cuts.append(cut)
    progress.note(cut.text)
    return true
  }

  var identity: JSONValue {
    let training = options.training
    return [
      "program": JSONValue("surgeon \(Program.version)"), "job": "chop",
      "model": JSONValue(setup.fingerprint), "data": JSONValue(setup.windows.fingerprint),
      "heldOut": setup.heldOut.map { JSONValue($0.fingerprint) } ?? .null,
      "batch": JSONValue(options.data.batch),
      "accumulation": JSONValue(options.data.accumulation), "interval": JSONValue(interval),
      "removed": .array(plan.removed.map { JSONValue($0) }),
      "by": JSONValue(options.removal.name),
      "stepsBefore": JSONValue(plan.stepsBefore), "every": JSONValue(plan.interval),
      "distillation": [
        JSONValue(options.distillation.logits), JSONValue(options.distillation.hidden),
      ],
      "betas": [JSONValue(training.meanDecay), JSONValue(training.squareDecay)],
      "profile": options.profile.map { JSONValue($0.rawValue) } ?? .null,
      "training": training.identity,
    ]
  }
}
