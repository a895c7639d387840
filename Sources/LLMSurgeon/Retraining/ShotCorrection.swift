import ExactJSON
import Training
import Transformer

/// A short training between two shots: small factors are added to each matrix where it is not zero,
/// and merged before the next calibration (first-order corrections of the LLM Surgeon paper).
public struct ShotCorrection: Sendable, Equatable {
  /// The steps of the optimizer after each shot but the last.
  public var steps: Int
  /// The highest learning rate.
  public var learningRate: Double
  /// The calibration windows of one step.
  public var batch: Int

  /// A correction of so many steps.
  public init(steps: Int, learningRate: Double = 1e-4, batch: Int = 8) {
    self.steps = steps
    self.learningRate = learningRate
    self.batch = batch
  }

  /// Everything that decides what a correction does.
  var identity: JSONValue {
    [
      "steps": JSONValue(steps), "learningRate": JSONValue(learningRate),
      "batch": JSONValue(batch),
    ]
  }

  /// The settings of the training.
  var training: TrainingChoice {
    TrainingChoice(groups: [.maskLoRA], steps: steps, learningRate: learningRate)
  }

  /// Trains a model on some windows.
  ///
  /// - Parameters:
  ///   - model: The model after a shot.
  ///   - windows: Those of the calibration.
  ///   - progress: Hears of each step.
  /// - Returns: The trained model, zeros as before. Each matrix is merged when it is read, so that
  ///   not all are in memory at once.
  /// - Throws: What reading the model and computing throw.
  func correct(
    _ model: DecoderModel,
    on windows: TokenWindows,
    progress: any ProgressListener
  ) throws -> TrainedModel {
    guard batch >= 1 else { throw JobError.badSetting("a correction takes a window at least") }
    let course = try training.course()
    var trainer = try Trainer(TrainedModel(model, training), training, windows, batch: batch)
    progress.begin("correcting", total: steps, unit: "steps")
    defer { progress.end() }
    for step in 1...steps {
      try trainer.makeStep(rate: course.rate(step: step))
      progress.advance(to: step)
    }
    var trained = trainer.trained
    trained.isMerged = true
    return trained
  }
}
