import Foundation
import LinearAlgebra

/// The threads that the arithmetic uses.
public enum Threads {
  /// Sets the number of threads; all cores are used otherwise.
  ///
  /// No result depends on it.
  ///
  /// - Parameter count: At least 1.
  public static func limit(to count: Int) { Parallelism.threads = count }

  /// Takes this process's part of the cores of a machine that several processes share.
  ///
  /// A process that was bound to some of the cores takes no more than those.
  ///
  /// - Parameter processes: The number of processes on this machine.
  public static func share(among processes: Int) {
    let machine = ProcessInfo.processInfo.processorCount
    Parallelism.threads = min(Parallelism.hardwareThreads, max(1, machine / processes))
  }
}
