import Pruning
import Synchronization

/// Turns what the solver tells, from several threads, into one listener's progress.
final class SolverMeter: Sendable {
  private let listener: any ProgressListener
  private let layers: Int
  private let steps: Int
  private let begun = Mutex(0)

  /// A meter for one shot.
  ///
  /// - Parameters:
  ///   - listener: Hears one call at a time.
  ///   - layers: The number of layers.
  ///   - steps: The steps in which removals are chosen.
  init(_ listener: any ProgressListener, layers: Int, steps: Int) {
    self.listener = listener
    self.layers = layers
    self.steps = steps
  }

  /// Runs the choice as one phase.
  func choosing<Result>(_ body: (@escaping ProgressHandler) throws -> Result) rethrows -> Result {
    try phase("choosing", total: layers * steps, body)
  }

  /// Runs the last repair as one phase.
  func repairing<Result>(_ body: (@escaping ProgressHandler) throws -> Result) rethrows -> Result {
    try phase("repairing", total: layers, body)
  }

  private func phase<Result>(
    _ name: String,
    total: Int,
    _ body: (@escaping ProgressHandler) throws -> Result
  ) rethrows -> Result {
    begun.withLock { $0 = 0 }
    listener.begin(name, total: total, unit: "layers")
    defer { listener.end() }
    return try body { [self] event in
      switch event.stage {
      case .pricing, .repairing:
        begun.withLock { count in
          listener.advance(to: min(total, count))
          count += 1
        }
      case .iterated: break
      }
    }
  }
}
