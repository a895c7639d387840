import Checkpoint
import Pruning
import Report
import Transformer

/// What one shot removed and how the model was before it.
struct ShotResult {
  /// What is removed.
  let plan: PruningPlan
  /// What is known of each repair.
  let figures: [LayerFigures]
  /// The new weights of all layers.
  let weights: RepairedWeights
  /// The layers before.
  let layers: [LayerDescription]
  /// The mean cross entropy before, in nats per predicted token, where it was measured.
  let lossBefore: Double?
  /// What is left of each block, where neurons or heads are removed.
  var widths: [BlockWidths]?
}

extension PruneRun {
  /// Prunes with a method that looks at one layer's output at a time.
  ///
  /// - Parameters:
  ///   - shot: The number of the shot.
  ///   - settings: The method and what to remove.
  ///   - progress: Hears how it goes on.
  /// - Returns: The result, with no prediction of the loss.
  /// - Throws: ``JobError/badSetting(_:)`` without data, or what the pass throws.
  mutating func layerwise(
    _ shot: Int,
    _ settings: PruningSettings,
    progress: any ProgressListener
  ) throws -> ShotResult {
    let model = opened.model
    let layers = try ModelLayers(model.linears, source: opened.directory.tensors, statistics: nil)
    var repaired = try RepairedLayers(model.linears, scratch: scratch)
    let loss: Double?
    switch input {
    case .none:
      throw JobError.badSetting("method \(settings.method.rawValue) needs tokens or statistics")
    case .windows(let windows, _, _):
      loss = try model.meanLoss(windows, progress: progress)
      try SequentialPass(
        opened: opened,
        windows: windows,
        settings: settings,
        journal: files.journal(shot)
      ).prune(layers, progress: progress) { try repaired.receive($0, $1) }
      report.notes.append(
        "statistics: sequential (each block was measured on what the pruned blocks below hand on)"
      )
    case .statistics(let statistics, _):
      loss = statistics.manifest.loss
      try layers.pruneLayerwise(
        model,
        statistics: statistics,
        settings: settings,
        journal: files.journal(shot),
        progress: progress
      ) { try repaired.receive($0, $1) }
      report.notes.append("statistics: dense (all layers were measured in the model as it came)")
    }
    let figures = try repaired.figures()
    return ShotResult(
      plan: PruningPlan(
        settings: settings,
        layers: zip(layers.layers, figures).map { LayerPlan(name: $0.name, mask: $1.mask) }
      ),
      figures: figures,
      weights: repaired.weights,
      layers: layers.layers,
      lossBefore: loss
    )
  }
}
