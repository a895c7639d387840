/// Hears how a long job goes on.
///
/// Calls come one at a time, from any thread, while others compute: they must return quickly.
public protocol ProgressListener: Sendable {
  /// A phase begins.
  ///
  /// - Parameters:
  ///   - phase: What is done, for a person: "calibrating, backward".
  ///   - total: The amount of work.
  ///   - unit: What is counted: "blocks".
  func begin(_ phase: String, total: Int, unit: String)

  /// The phase has come this far.
  ///
  /// - Parameter completed: The work done, up to the phase's total.
  func advance(to completed: Int)

  /// So much of the phase was done by an earlier process: it tells nothing of how long the rest takes.
  ///
  /// - Parameter completed: That work, contained in what ``advance(to:)`` counts. It may grow while the
  ///   phase goes on.
  func resume(at completed: Int)

  /// The phase is over.
  func end()

  /// Something worth a line of its own.
  ///
  /// - Parameter message: One line, without a final full stop.
  func note(_ message: String)
}

extension ProgressListener {
  /// Counts it like other work.
  public func resume(at completed: Int) { advance(to: completed) }
}

/// Hears nothing.
public struct SilentProgress: ProgressListener {
  /// A listener that ignores everything.
  public init() {}
  /// Does nothing.
  public func begin(_ phase: String, total: Int, unit: String) {}
  /// Does nothing.
  public func advance(to completed: Int) {}
  /// Does nothing.
  public func end() {}
  /// Does nothing.
  public func note(_ message: String) {}
}
