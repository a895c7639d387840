/// What became of a model from which whole blocks were removed before its training went on.
package struct ChoppingReport: Sendable, Equatable {
  /// Which blocks went, and when.
  package struct Removal: Sendable, Equatable {
    /// The scheme of places, or `list`.
    package let scheme: String
    /// The blocks that went, in the numbers of the model as it came.
    package let removed: [Int]
    /// Those that are left.
    package let kept: [Int]
    /// The steps before the first went.
    package let stepsBefore: Int
    /// The steps between one and the next; 0 for all at once.
    package let interval: Int

    /// Takes all values.
    package init(
      scheme: String,
      removed: [Int],
      kept: [Int],
      stepsBefore: Int,
      interval: Int
    ) {
      self.scheme = scheme
      self.removed = removed
      self.kept = kept
      self.stepsBefore = stepsBefore
      self.interval = interval
    }
  }

  /// A size before and after.
  package struct Change: Sendable, Equatable {
    /// That of the model as it came.
    package let before: Int
    /// That of the written model.
    package let after: Int

    /// Takes both.
    package init(before: Int, after: Int) {
      self.before = before
      self.after = after
    }
  }

  /// The sizes of a checkpoint.
  package struct Sizes: Sendable, Equatable {
    /// The elements of all tensors; tied ones count once.
    package let parameters: Change
    /// The bytes of the weight files.
    package let bytes: Change
    /// The bytes that the keys and values of one token take.
    package let keyValueBytesPerToken: Change

    /// Takes all values.
    package init(parameters: Change, bytes: Change, keyValueBytesPerToken: Change) {
      self.parameters = parameters
      self.bytes = bytes
      self.keyValueBytesPerToken = keyValueBytesPerToken
    }
  }

  /// What the model as it came taught.
  package struct Distillation: Sendable, Equatable {
    /// The weight of the divergence from its predictions.
    package let logits: Double
    /// The weight of the mean square of the difference from its hidden states.
    package let hidden: Double

    /// Takes both.
    package init(logits: Double, hidden: Double) {
      self.logits = logits
      self.hidden = hidden
    }
  }

  /// Which blocks went.
  package let removal: Removal
  /// What that made of the sizes.
  package let sizes: Sizes
  /// What a teacher taught; nil without one.
  package let distillation: Distillation?
  /// The training; its steps are those from the first removal on, its course has all.
  package let training: RetrainingReport

  /// Takes all values.
  package init(
    removal: Removal,
    sizes: Sizes,
    distillation: Distillation?,
    training: RetrainingReport
  ) {
    self.removal = removal
    self.sizes = sizes
    self.distillation = distillation
    self.training = training
  }

  /// The losses.
  package var course: TrainingCourse { training.course }
}
