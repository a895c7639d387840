import Checkpoint
import Pruning
import Report
import Transformer

/// What one shot removed and how the model was before it.
struct ShotResult {
  /// What is removed.
  let plan: PruningPlan
  /// The new weights of each layer.
  let outcomes: [LayerOutcome]
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
  ///   - settings: The method and what to remove.
  ///   - progress: Hears how it goes on.
  /// - Returns: The result, with no prediction of the loss.
  /// - Throws: ``JobError/badSetting(_:)`` without data, or what the pass throws.
  mutating func layerwise(
    _ settings: PruningSettings,
    progress: any ProgressListener
  ) throws -> ShotResult {
    let model = opened.model
    let layers = try ModelLayers(model.linears, source: opened.directory.tensors, statistics: nil)
    let outcomes: [LayerOutcome]
    let loss: Double?
    switch input {
    case .none:
      throw JobError.badSetting("method \(settings.method.rawValue) needs tokens or statistics")
    case .windows(let windows, _, _):
      loss = try model.meanLoss(windows, progress: progress)
      outcomes = try SequentialPass(opened: opened, windows: windows, settings: settings)
        .prune(layers, progress: progress)
      report.notes.append(
        "statistics: sequential (each block was measured on what the pruned blocks below hand on)"
      )
    case .statistics(let statistics, _):
      loss = statistics.manifest.loss
      outcomes = try layers.pruneLayerwise(
        model,
        statistics: statistics,
        settings: settings,
        progress: progress
      )
      report.notes.append("statistics: dense (all layers were measured in the model as it came)")
    }
    return ShotResult(
      plan: PruningPlan(
        settings: settings,
        layers: zip(layers.layers, outcomes).map { LayerPlan(name: $0.name, mask: $1.mask) }
      ),
      outcomes: outcomes,
      layers: layers.layers,
      lossBefore: loss
    )
  }
}
