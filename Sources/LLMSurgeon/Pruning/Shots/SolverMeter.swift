import Pruning
import Synchronization

/// Turns what the solver tells, from several threads, into one listener's progress.
final class SolverMeter: Sendable {
  private let listener: any ProgressListener
  private let layers: Int
  private let settings: PruningSettings
  /// The layers that were begun, and the iterations of their repairs.
  private let counts = Mutex((begun: 0, iterations: 0))

  /// A meter for one shot.
  ///
  /// - Parameters:
  ///   - listener: Hears one call at a time.
  ///   - layers: The number of layers.
  ///   - settings: What the solver is asked to do.
  init(_ listener: any ProgressListener, layers: Int, settings: PruningSettings) {
    self.listener = listener
    self.layers = layers
    self.settings = settings
  }

  /// Runs the choice as one phase.
  func choosing<Result>(_ body: (@escaping ProgressHandler) throws -> Result) rethrows -> Result {
    let passes = settings.structure.isUnits ? 1 : settings.pricings
    return try phase("choosing", total: layers * passes, "layers", body) { $0.begun - 1 }
  }

  /// Runs the last repair as one phase; a repair by iterations counts these, since that of one large
  /// layer alone can take minutes.
  func repairing<Result>(_ body: (@escaping ProgressHandler) throws -> Result) rethrows -> Result {
    guard settings.method.repairs, !settings.structure.isStructured else {
      return try phase("repairing", total: layers, "layers", body) { $0.begun - 1 }
    }
    let total = layers * settings.finalRepair.iterations
    return try phase("repairing", total: total, "steps", body) { $0.iterations }
  }

  private func phase<Result>(
    _ name: String,
    total: Int,
    _ unit: String,
    _ body: (@escaping ProgressHandler) throws -> Result,
    completed: @escaping @Sendable ((begun: Int, iterations: Int)) -> Int
  ) rethrows -> Result {
    counts.withLock { $0 = (0, 0) }
    listener.begin(name, total: total, unit: unit)
    defer { listener.end() }
    return try body { [self] event in
      counts.withLock { counts in
        switch event.stage {
        case .pricing, .repairing: counts.begun += 1
        case .iterated: counts.iterations += 1
        }
        listener.advance(to: max(0, min(total, completed(counts))))
      }
    }
  }
}
