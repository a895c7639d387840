/// How a training was done.
package struct TrainingRecord: Sendable, Equatable {
  /// The groups of values that were trained.
  package let groups: [String]
  /// The steps of the optimizer.
  package let steps: Int
  /// The highest learning rate.
  package let learningRate: Double
  /// How the rate went on after its rise.
  package let schedule: String
  /// The share of the steps in which the rate rose.
  package let warmUp: Double
  /// The share of the highest rate that the fall led to.
  package let finalRate: Double
  /// The decay of weights and factors, in units of the rate.
  package let weightDecay: Double
  /// The bound on the gradient's norm, if there was one.
  package let clip: Double?
  /// The inner extent of the factors; nil where there can be none.
  package var rank: Int?
  /// The strength of the factors; nil where there can be none.
  package var alpha: Double?
  /// The seed.
  package let seed: UInt64
  /// How much of the running mean of gradients stayed in a step.
  package var meanDecay = 0.9
  /// How much of the running mean of squared gradients stayed in a step.
  package var squareDecay = 0.999

  /// Takes all values.
  package init(
    groups: [String],
    steps: Int,
    learningRate: Double,
    schedule: String,
    warmUp: Double,
    finalRate: Double,
    weightDecay: Double,
    clip: Double?,
    rank: Int?,
    alpha: Double?,
    seed: UInt64
  ) {
    self.groups = groups
    self.steps = steps
    self.learningRate = learningRate
    self.schedule = schedule
    self.warmUp = warmUp
    self.finalRate = finalRate
    self.weightDecay = weightDecay
    self.clip = clip
    self.rank = rank
    self.alpha = alpha
    self.seed = seed
  }
}

/// The tokens that were trained on.
package struct TokensRecord: Sendable, Equatable {
  /// The file names, without folders.
  package let source: String
  /// The number of different windows.
  package let windows: Int
  /// The tokens of each.
  package let length: Int
  /// The windows that went through the model at once.
  package let batch: Int
  /// How many such batches made a step.
  package let accumulation: Int

  /// Takes all values.
  package init(source: String, windows: Int, length: Int, batch: Int, accumulation: Int) {
    self.source = source
    self.windows = windows
    self.length = length
    self.batch = batch
    self.accumulation = accumulation
  }
}

/// The tokens that were held out.
package struct HeldOutRecord: Sendable, Equatable {
  /// The file names, without folders.
  package let source: String
  /// The number of windows.
  package let windows: Int
  /// The tokens of each.
  package let length: Int

  /// Takes all values.
  package init(_ source: String, _ windows: Int, _ length: Int) {
    self.source = source
    self.windows = windows
    self.length = length
  }
}

/// A training of a few values of a model, and what it brought.
package struct RetrainingReport: Sendable, Equatable {
  /// The version of the program that trained.
  package let programVersion: String
  /// The model, as the person named it.
  package let model: String
  /// A hash of the model as it came.
  package let fingerprint: String
  /// How it was trained.
  package var settings: TrainingRecord
  /// What it was trained on.
  package let tokens: TokensRecord
  /// What was held out, if anything.
  package let heldOut: HeldOutRecord?
  /// The number of values that were trained.
  package let trainedValues: Int
  /// The number of the model's parameters.
  package var parameters: Int
  /// The losses.
  package var course = TrainingCourse()
  /// The held-out loss of the written checkpoint, in nats per predicted token.
  package var writtenLoss: Double?
  /// The weights of the linear layers in the blocks.
  package var weights = 0
  /// Those that were zero before.
  package var zerosBefore = 0
  /// Those that are zero in the written checkpoint.
  package var zerosAfter = 0

  /// A training that has not begun.
  package init(
    programVersion: String,
    model: String,
    fingerprint: String,
    settings: TrainingRecord,
    tokens: TokensRecord,
    heldOut: HeldOutRecord?,
    trainedValues: Int,
    parameters: Int
  ) {
    self.programVersion = programVersion
    self.model = model
    self.fingerprint = fingerprint
    self.settings = settings
    self.tokens = tokens
    self.heldOut = heldOut
    self.trainedValues = trainedValues
    self.parameters = parameters
  }

  /// Checks that every value can be.
  ///
  /// - Throws: ``ReportError`` that names the first value at fault.
  package func validate() throws(ReportError) {
    try Check.text(model, "model")
    for (index, step) in course.steps.enumerated() {
      try Check.notNegative(step.loss, "steps[\(index)].loss")
      try Check.notNegative(step.gradientNorm, "steps[\(index)].gradientNorm")
      try Check.notNegative(step.divergence ?? 0, "steps[\(index)].divergence")
      try Check.notNegative(step.hiddenError ?? 0, "steps[\(index)].hiddenError")
    }
    for (index, point) in course.heldOut.enumerated() {
      try Check.notNegative(point.loss, "heldOut[\(index)].loss")
    }
    for (index, cut) in course.cuts.enumerated() {
      try Check.notNegative(cut.lossBefore ?? 0, "cuts[\(index)].lossBefore")
      try Check.notNegative(cut.lossAfter ?? 0, "cuts[\(index)].lossAfter")
    }
    if let writtenLoss { try Check.notNegative(writtenLoss, "writtenLoss") }
  }
}
