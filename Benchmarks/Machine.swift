import Foundation
import LinearAlgebra

/// What the machine can do: products of square matrices that stay in the cache, one on each thread.
struct Machine {
  /// Large enough that copying is a small part, small enough for a tenth of a second.
  private static let order = 1536

  /// What one thread multiplies.
  private struct Lane: Sendable {
    let factor: Matrix<Float>
    var product: Matrix<Float>

    init() {
      let numbers = (0..<Machine.order * Machine.order).map { Float($0 % 7) * 0.01 }
      factor = Matrix(rows: Machine.order, columns: Machine.order, storage: numbers)
      product = factor
    }
  }

  private let clock: Clock
  private var lanes: [Lane]

  /// The machine on the threads that the arithmetic uses.
  init(clock: Clock) {
    self.clock = clock
    lanes = (0..<Parallelism.threads).map { _ in Lane() }
  }

  /// The operations a second of `sgemm` now, on all threads together.
  mutating func productRate() -> Double {
    let seconds = clock.duration {
      concurrentUpdates(of: &lanes, count: lanes.count) { _, lane in
        let factor = lane.factor
        var target = lane.product.storage.mutableSpan
        multiply(factor.view, factor.view, into: &target)
      }
    }
    return 2 * cube * Double(lanes.count) / seconds
  }

  /// The operations a second of `ssyrk` now; what is symmetric counts once.
  mutating func symmetricRate() -> Double {
    let seconds = clock.duration {
      concurrentUpdates(of: &lanes, count: lanes.count) { _, lane in
        let factor = lane.factor
        addGramUndivided(of: factor.view, to: &lane.product)
      }
    }
    return cube * Double(lanes.count) / seconds
  }

  private var cube: Double { Double(Self.order) * Double(Self.order) * Double(Self.order) }
}

/// What time is.
enum Clock {
  /// What goes by.
  case wall
  /// What the threads of this process compute: right where other programs take the processors, but
  /// blind to threads that wait.
  case processor

  /// Seconds from some beginning.
  var now: Double {
    switch self {
    case .wall: Double(DispatchTime.now().uptimeNanoseconds) * 1e-9
    case .processor: Double(clock()) / Double(CLOCKS_PER_SEC)
    }
  }

  /// How long something takes, in seconds.
  func duration(_ body: () throws -> Void) rethrows -> Double {
    let start = now
    try body()
    return now - start
  }
}

/// The median of at least one number; of an even count the lower one of the middle two.
func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  return sorted[(sorted.count - 1) / 2]
}
