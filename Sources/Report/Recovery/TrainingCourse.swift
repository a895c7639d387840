/// The losses of a training, step by step.
package struct TrainingCourse: Sendable, Equatable {
  /// One step of the optimizer.
  package struct Step: Sendable, Equatable {
    /// The mean cross entropy of the step's windows before the step, in nats per predicted token.
    package let loss: Double
    /// The learning rate.
    package let rate: Double
    /// The norm of the gradient before it was bounded.
    package let gradientNorm: Double
    /// The mean divergence from a teacher's predictions, in nats per predicted token; nil without one.
    package let divergence: Double?
    /// The mean square of the difference from a teacher's hidden states; nil without one.
    package let hiddenError: Double?

    /// Takes all values.
    package init(
      loss: Double,
      rate: Double,
      gradientNorm: Double,
      divergence: Double? = nil,
      hiddenError: Double? = nil
    ) {
      self.loss = loss
      self.rate = rate
      self.gradientNorm = gradientNorm
      self.divergence = divergence
      self.hiddenError = hiddenError
    }
  }

  /// A measurement on held-out tokens.
  package struct HeldOut: Sendable, Equatable {
    /// The steps that were done.
    package let step: Int
    /// The mean cross entropy, in nats per predicted token.
    package let loss: Double

    /// Takes all values.
    package init(step: Int, loss: Double) {
      self.step = step
      self.loss = loss
    }
  }

  /// A removal of blocks between two steps.
  package struct Cut: Sendable, Equatable {
    /// The steps that were done.
    package let step: Int
    /// The blocks that went, in the numbers of the model as it came.
    package let blocks: [Int]
    /// The held-out loss right before, in nats per predicted token, if anything was held out.
    package let lossBefore: Double?
    /// The held-out loss right after.
    package let lossAfter: Double?

    /// Takes all values.
    package init(step: Int, blocks: [Int], lossBefore: Double?, lossAfter: Double?) {
      self.step = step
      self.blocks = blocks
      self.lossBefore = lossBefore
      self.lossAfter = lossAfter
    }
  }

  /// All steps, the first one first.
  package var steps: [Step] = []
  /// The measurements, rising in steps.
  package var heldOut: [HeldOut] = []
  /// The removals of blocks, rising in steps; none in an ordinary training.
  package var cuts: [Cut] = []

  /// Nothing yet.
  package init() {}
}
