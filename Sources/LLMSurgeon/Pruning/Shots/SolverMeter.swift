import Pruning
import Synchronization

/// Turns what the solver tells, from several threads, into one listener's progress.
final class SolverMeter: Sendable {
  private let listener: any ProgressListener
  private let layers: Int
  private let settings: PruningSettings
  private let counts = Mutex(Counts())

  private struct Counts {
    /// The layers that were begun, and the iterations of their repairs.
    var begun = 0, iterations = 0
    /// The layers begun but the last one.
    var ended: Int { max(0, begun - 1) }
    /// The layers whose result an earlier process left.
    var found = 0
  }

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
    return try phase("choosing", total: layers * passes, "layers", body) { $0.ended }
  }

  /// Runs the last repair as one phase; a repair by iterations counts these, since that of one large
  /// layer alone can take minutes.
  func repairing<Result>(_ body: (@escaping ProgressHandler) throws -> Result) rethrows -> Result {
    guard settings.method.repairs, !settings.structure.isStructured else {
      return try phase("repairing", total: layers, "layers", body) { $0.ended }
    }
    let each = settings.finalRepair.iterations
    return try phase("repairing", total: layers * each, "steps", each: each, body) { $0.iterations }
  }

  /// Runs `body` as one phase, a layer of which counts for `each`.
  private func phase<Result>(
    _ name: String,
    total: Int,
    _ unit: String,
    each: Int = 1,
    _ body: (@escaping ProgressHandler) throws -> Result,
    done: @escaping @Sendable (Counts) -> Int
  ) rethrows -> Result {
    counts.withLock { $0 = Counts() }
    listener.begin(name, total: total, unit: unit)
    defer { listener.end() }
    return try body { [self] event in
      counts.withLock { counts in
        switch event.stage {
        case .pricing, .repairing: counts.begun += 1
        case .iterated: counts.iterations += 1
        case .found:
          counts.found += 1
          listener.resume(at: min(total, counts.found * each))
        }
        listener.advance(to: min(total, done(counts) + counts.found * each))
      }
    }
  }
}
