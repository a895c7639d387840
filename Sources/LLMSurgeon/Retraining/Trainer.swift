import Foundation
import Report
import Training
import Transformer

/// A model in training: its values, the windows to come, and the losses so far.
struct Trainer {
  /// The model with the values of the moment.
  var trained: TrainedModel
  /// The losses so far.
  var course = TrainingCourse()
  private let optimizer: AdamW
  private var order: TrainingWindows
  /// The windows that go through the model at once.
  private let batch: Int
  /// How many such batches make one step.
  private let accumulation: Int

  /// A training that has not begun.
  ///
  /// - Parameters:
  ///   - trained: The model.
  ///   - choice: The optimizer's settings and the seed of the windows' order.
  ///   - windows: What is trained on.
  ///   - batch: The windows that go through the model at once.
  ///   - accumulation: How many such batches make one step.
  /// - Throws: `TrainingError` for settings that cannot be.
  init(
    _ trained: TrainedModel,
    _ choice: TrainingChoice,
    _ windows: TokenWindows,
    batch: Int,
    accumulation: Int = 1
  ) throws {
    self.trained = trained
    self.batch = batch
    self.accumulation = accumulation
    optimizer = try choice.optimizer()
    order = TrainingWindows(windows, seed: choice.seed)
  }

  /// The steps that are made.
  var step: Int { course.steps.count }

  /// The model as it computes at the moment.
  var model: DecoderModel { trained.base.with(trained) }

  /// Makes the next step.
  ///
  /// - Parameters:
  ///   - rate: The learning rate.
  ///   - teacher: The model that this one is pulled towards, if any.
  /// - Throws: What reading the model and computing throw.
  mutating func makeStep(rate: Double, teacher: Teacher? = nil) throws {
    let (gradients, losses) = try differentiate(teacher)
    let predicted = losses.crossEntropies.count * (order.windows.length - 1)
    let norm = try optimizer.update(
      &trained.parameters,
      gradients,
      step: step + 1,
      rate: rate,
      scale: 1 / Double(predicted)
    )
    func mean(_ values: [Double]) -> Double? {
      values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
    course.steps.append(
      .init(
        loss: losses.crossEntropies.reduce(0, +) / Double(losses.crossEntropies.count),
        rate: rate,
        gradientNorm: norm,
        divergence: mean(losses.divergences),
        hiddenError: mean(losses.hiddenErrors)
      )
    )
  }

  /// The gradients of the next windows.
  ///
  /// The pass ends here, so that the optimizer finds the values with one owner and need not copy them.
  private mutating func differentiate(
    _ teacher: Teacher?
  ) throws -> (Gradients, TrainingPass.Losses) {
    var pass = TrainingPass(trained, teacher: teacher)
    var losses = TrainingPass.Losses()
    for number in 0..<accumulation {
      let place = (step * accumulation + number) * batch
      losses.append(try pass.add(try order.sequences(from: place, count: batch)))
    }
    return (pass.gradients, losses)
  }

  /// Measures the held-out loss with the values of the moment, and says how it goes.
  ///
  /// - Parameters:
  ///   - heldOut: The held-out windows, if any.
  ///   - total: The steps in all.
  ///   - interval: The steps whose mean loss is said.
  ///   - progress: Hears it.
  /// - Throws: What reading the model and computing throw.
  mutating func measure(
    _ heldOut: TokenWindows?,
    of total: Int,
    interval: Int,
    progress: any ProgressListener
  ) throws {
    var line = "step \(step) of \(total)"
    let recent = course.steps.suffix(interval).map(\.loss)
    if !recent.isEmpty {
      let mean = recent.reduce(0, +) / Double(recent.count)
      line += String(format: ": loss %.4f", mean)
    }
    if let heldOut {
      let loss = try model.meanLoss(heldOut, progress: SilentProgress())
      course.heldOut.append(.init(step: step, loss: loss))
      line += String(format: "%@ held-out perplexity %.3f", recent.isEmpty ? ":" : ",", exp(loss))
    }
    if !recent.isEmpty || heldOut != nil { progress.note(line) }
  }
}
