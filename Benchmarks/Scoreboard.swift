import ExactJSON
import LinearAlgebra
import Report

/// One measured figure beside its floor.
struct Figure {
  /// What was measured.
  let name: String
  /// The median time, in seconds.
  let seconds: Double
  /// What came out in that time, such as tokens a second, and its unit.
  let rate: (value: Double, unit: String)?
  /// The least time that the machine would take, in seconds; nil where nothing is known to bound it.
  ///
  /// Its operations at the rate of products taken around the measurement, or its bytes at the rate of
  /// copying.
  let floor: Double?

  /// The share of the machine's rate that was reached.
  var share: Double? { floor.map { $0 / seconds } }
}

/// Takes times and keeps the figures.
struct Scoreboard {
  /// The rounds whose median counts.
  let rounds: Int
  /// What the times are.
  let clock: Clock
  private var machine: Machine
  private var productRates: [Double] = []
  private var symmetricRates: [Double] = []
  private(set) var figures: [Figure] = []

  /// An empty board.
  init(rounds: Int, clock: Clock) {
    self.rounds = rounds
    self.clock = clock
    machine = Machine(clock: clock)
  }

  /// The median time of some rounds, after one that does not count.
  func time(_ body: () throws -> Void) rethrows -> Double {
    try body()
    return median(try (0..<rounds).map { _ in try clock.duration(body) })
  }

  /// The median time of something and its floor, both in seconds.
  ///
  /// - Parameters:
  ///   - operations: Its floating-point operations.
  ///   - body: Runs once more than there are rounds.
  /// - Returns: Medians; that of the share is taken round by round.
  mutating func time(
    operations: Double,
    _ body: () throws -> Void
  ) rethrows -> (seconds: Double, floor: Double) {
    try body()
    var (times, shares): ([Double], [Double]) = ([], [])
    for _ in 0..<rounds {
      let before = machine.productRate()
      let seconds = try clock.duration(body)
      let after = machine.productRate()
      productRates += [before, after]
      symmetricRates.append(machine.symmetricRate())
      times.append(seconds)
      shares.append(operations / ((before + after) / 2) / seconds)
    }
    let seconds = median(times)
    return (seconds, seconds * median(shares))
  }

  /// Keeps a figure.
  mutating func add(_ figure: Figure) { figures.append(figure) }

  /// The figures as a table for a person.
  var text: String {
    let kernels = "\(BLASLibrary.kernels) kernels of \(BLASLibrary.version)"
    let times = "\(rounds) rounds" + (clock == .processor ? " of processor time" : "")
    var table = TextTable(
      title: "\(Parallelism.threads) threads, \(kernels); medians of \(times)",
      columns: [
        .init("figure", .left), .init("time"), .init("rate"), .init("floor"), .init("of the limit"),
      ]
    )
    for (name, rates) in machineRates where !rates.isEmpty {
      let spread = "\(gigaflops(rates.min() ?? 0)) to \(gigaflops(rates.max() ?? 0))"
      table.add([name, "", gigaflops(median(rates)) + " GFLOP/s", spread, ""])
    }
    for figure in figures {
      table.add([
        figure.name, Quantity.duration(seconds: figure.seconds),
        figure.rate.map { "\(Quantity.figure($0.value)) \($0.unit)" } ?? "",
        figure.floor.map { Quantity.duration(seconds: $0) } ?? "",
        figure.share.map { Quantity.percent($0) } ?? "",
      ])
    }
    return table.text(style: TerminalStyle(columns: 120))
  }

  /// The same as a document.
  var json: JSONValue {
    [
      "threads": JSONValue(Parallelism.threads), "blas": JSONValue(BLASLibrary.version),
      "kernels": JSONValue(BLASLibrary.kernels), "rounds": JSONValue(rounds),
      "clock": clock == .wall ? "wall" : "processor",
      "machine": .array(
        machineRates.map { name, rates in
          [
            "name": JSONValue(name),
            "operationsPerSecond": .array(rates.map { JSONValue($0) }),
          ]
        }
      ),
      "figures": .array(
        figures.map { figure in
          [
            "name": JSONValue(figure.name), "seconds": JSONValue(figure.seconds),
            "rate": figure.rate.map { JSONValue($0.value) } ?? .null,
            "unit": figure.rate.map { JSONValue($0.unit) } ?? .null,
            "floorSeconds": figure.floor.map { JSONValue($0) } ?? .null,
            "share": figure.share.map { JSONValue($0) } ?? .null,
          ]
        }
      ),
    ]
  }

  private var machineRates: [(String, [Double])] {
    [("machine, sgemm", productRates), ("machine, ssyrk", symmetricRates)]
  }

  private func gigaflops(_ rate: Double) -> String { Quantity.figure(rate / 1e9) }
}
