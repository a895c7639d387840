import LinearAlgebra

/// The threads that the arithmetic uses.
public enum Threads {
  /// Sets the number of threads; all cores are used otherwise.
  ///
  /// No result depends on it.
  ///
  /// - Parameter count: At least 1.
  public static func limit(to count: Int) { Parallelism.threads = count }
}
