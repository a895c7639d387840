/// What a pruning run did to a model: where the budget went and what it cost.
///
/// A report holds values only. It is written as JSON, as text for a terminal and as one
/// self-contained HTML page; everything but ``run`` is the same for the same input.
package struct PruningReport: Sendable, Equatable {
  /// The version of the JSON format that is written and read.
  package static let formatVersion = 1

  /// The version of the program that pruned.
  package var programVersion: String
  /// The model before pruning.
  package var model: ModelRecord
  /// What was asked for.
  package var settings: SettingsRecord
  /// The data that the curvature was measured on; none for methods that need no data.
  package var calibration: CalibrationRecord?
  /// The loss before and after, where it was measured.
  package var loss: LossRecord
  /// What a timing table predicts of the written model, where one was given.
  package var speed: SpeedRecord?
  /// The steps on the way to the target, first one first.
  package var shots: [ShotRecord]
  /// What is left of each block, block after block, where neurons or heads were removed.
  package var widths: [WidthRecord]
  /// Every prunable weight matrix, in the model's order.
  package var layers: [LayerRecord]
  /// What a reader should know beyond the figures, such as a damping that had to be raised.
  package var notes: [String]
  /// When and how fast; the only part that differs between equal runs.
  package var run: RunRecord?

  /// A report without shots, notes and times.
  ///
  /// - Parameters:
  ///   - programVersion: The version of the program that pruned.
  ///   - model: The model before pruning.
  ///   - settings: What was asked for.
  ///   - calibration: The data that the curvature was measured on.
  ///   - layers: Every prunable weight matrix, in the model's order.
  package init(
    programVersion: String,
    model: ModelRecord,
    settings: SettingsRecord,
    calibration: CalibrationRecord? = nil,
    layers: [LayerRecord]
  ) {
    self.programVersion = programVersion
    self.model = model
    self.settings = settings
    self.calibration = calibration
    self.layers = layers
    loss = LossRecord()
    speed = nil
    shots = []
    widths = []
    notes = []
    run = nil
  }
}
