import Checkpoint
import Export
import Foundation
import MessagePassing
import Pruning
import Report
import Synchronization
import TestKit
import Testing
import Transformer

@testable import LLMSurgeon

@Suite("Pruning by several ranks")
struct JointPruningTests {
  private static let removals = [
    Removal(.element, 0.5), Removal(.nm(kept: 2, of: 4), nil), Removal(.rowsColumns, 0.4),
    Removal(.units([.neurons, .heads]), 0.3), Removal(.rowsColumns, 0.4, .kobd),
  ]

  private let fixture: Fixture
  private let scratch: ScratchDirectory

  init() throws {
    fixture = try Fixture("opt")
    scratch = try ScratchDirectory()
  }

  /// A pruning from statistics, which are made when they are missing.
  private func options(_ removal: Removal, to name: String) throws -> PruneOptions {
    PruneOptions(
      model: fixture.url.path,
      data: .statistics(try fixture.statistics(in: scratch)),
      removal: removal.choice,
      solver: SolverChoice(steps: removal.target == nil ? nil : 2),
      profile: .masked,
      output: scratch.url(name)
    )
  }

  /// A pruning in two shots.
  private func shots(to name: String) throws -> PruneOptions {
    var schedule = ShotSchedule()
    schedule.heldOut = fixture.input
    return PruneOptions(
      model: fixture.url.path,
      data: .calibrate(fixture.input, WindowChoice(), .empirical),
      removal: Removal(.rowsColumns, 0.4).choice,
      solver: SolverChoice(steps: 1),
      shots: 2,
      profile: .masked,
      schedule: schedule,
      output: scratch.url(name)
    )
  }

  /// Prunes with ranks that are threads, one of which may be stopped.
  ///
  /// - Returns: How often the ranks met.
  @discardableResult
  private func prune(
    _ options: PruneOptions,
    ranks count: Int,
    stop: (rank: Int, round: Int)? = nil
  ) throws -> Int {
    let table = ThreadRanks.Table(count: count, stop: stop)
    let reports = Mutex(0)
    try ThreadRanks.run(at: table) { ranks in
      let report = try LLMSurgeon.prune(options, together: ranks, progress: SilentProgress())
      #expect((report == nil) == (ranks.rank > 0))
      if report != nil { reports.withLock { $0 += 1 } }
    }
    #expect(reports.withLock { $0 } == 1)
    return table.rounds
  }

  @Test(
    "ranks leave the bytes of one process, and nothing else",
    arguments: removals,
    [1, 2, 3]
  )
  func same(removal: Removal, count: Int) throws {
    _ = try LLMSurgeon.prune(try options(removal, to: "whole"))
    try prune(try options(removal, to: "joint"), ranks: count)
    #expect(try differences(scratch.url("whole"), scratch.url("joint")) == [])
    #expect(try scratch.names() == ["joint", "statistics", "whole"])
  }

  @Test("shots are calibrated together too")
  func severalShots() throws {
    _ = try LLMSurgeon.prune(try shots(to: "whole"))
    try prune(try shots(to: "one"), ranks: 1)
    #expect(try differences(scratch.url("whole"), scratch.url("one")) == [])
    try prune(try shots(to: "two"), ranks: 2)
    try prune(try shots(to: "again"), ranks: 2)
    #expect(try differences(scratch.url("two"), scratch.url("again")) == [])
    let reports = try ["whole", "two"].map {
      try PruneReport(checkpoint: scratch.url($0)).report
    }
    #expect(reports[0].shots.map(\.achieved) == reports[1].shots.map(\.achieved))
    for (one, two) in zip(reports[0].shots, reports[1].shots) {
      let pair = try (#require(one.heldOutPerplexity), #require(two.heldOutPerplexity))
      // Means over parts of the windows are those over all but for rounding.
      #expect(abs(pair.0 / pair.1 - 1) < 1e-4)
    }
    #expect(try scratch.names() == ["again", "one", "two", "whole"])
  }

  @Test(
    "whichever rank is stopped whenever, any number of them continues to the same bytes",
    arguments: [0, 1, 2]
  )
  func continued(victim: Int) throws {
    let removal = Removal(.element, 0.5)
    let rounds = try prune(try options(removal, to: "joint"), ranks: 3)
    for round in stride(from: victim + 1, through: rounds, by: 3) {
      let options = try options(removal, to: "part-\(round)")
      #expect(throws: ThreadRanks.Stopped.self) {
        try prune(options, ranks: 3, stop: (victim, round))
      }
      // At the last meeting the checkpoint may be there already.
      guard !FileManager.default.fileExists(atPath: options.output.path) else { continue }
      if round.isMultiple(of: 2) {
        try prune(options, ranks: 2)
      } else {
        _ = try LLMSurgeon.prune(options)
      }
      #expect(try differences(scratch.url("joint"), options.output) == [], "\(round)")
    }
    #expect(try scratch.names().allSatisfy { !$0.hasPrefix(".") })
  }

  @Test("shots that ranks were stopped in are continued to the same bytes", arguments: [0, 1])
  func continuedShots(victim: Int) throws {
    let rounds = try prune(try shots(to: "joint"), ranks: 2)
    for round in stride(from: 1 + victim, to: rounds, by: 5) {
      let options = try shots(to: "part-\(round)")
      #expect(throws: ThreadRanks.Stopped.self) {
        try prune(options, ranks: 2, stop: (victim, round))
      }
      try prune(options, ranks: 2)
      #expect(try differences(scratch.url("joint"), options.output) == [], "\(round)")
    }
    #expect(try scratch.names().allSatisfy { !$0.hasPrefix(".") })
  }

  @Test("a calibration that another number of ranks has begun begins anew", arguments: [1, 2])
  func otherNumbers(count: Int) throws {
    try prune(try shots(to: "joint"), ranks: count)
    let rounds = try prune(try shots(to: "other"), ranks: 3 - count)
    for round in stride(from: 2, to: rounds, by: 6) {
      let options = try shots(to: "part-\(round)")
      #expect(throws: ThreadRanks.Stopped.self) {
        try prune(options, ranks: 3 - count, stop: (0, round))
      }
      let unfinished = (try? scratch.names(in: ".part-\(round).unfinished")) ?? []
      try prune(options, ranks: count)
      // What was complete stays: shots, and the statistics of one.
      let isBegun = unfinished.contains { $0.hasPrefix("shot-") || $0.hasPrefix("work-") }
      guard !isBegun else { continue }
      #expect(try differences(scratch.url("joint"), options.output) == [], "\(round)")
    }
    #expect(try scratch.names().allSatisfy { !$0.hasPrefix(".") })
  }

  @Test("more ranks than windows are refused before any work")
  func tooMany() throws {
    let options = try shots(to: "joint")
    let error = #expect(throws: JobError.self) { try prune(options, ranks: 20) }
    #expect(error?.description.contains("start fewer processes") == true)
    #expect(try scratch.names() == [])
  }

  @Test("ranks measure the loss of one process to the bit", arguments: 1...5)
  func loss(count: Int) throws {
    let model = try OpenedModel(fixture.url.path).model
    var generator = SplitMix64(seed: 8)
    let windows = TokenWindows(
      tokens: (0..<4_000 * 12).map { _ in Int.random(in: 0..<48, using: &generator) },
      length: 12,
      source: "random"
    )
    #expect(windows.count > 2 * DecoderModel.windowsAtOnce(windows))
    let whole = try model.meanLoss(windows, progress: SilentProgress())
    try ThreadRanks.run(at: ThreadRanks.Table(count: count)) { ranks in
      let loss = try model.meanLoss(windows, sharedBy: ranks, progress: SilentProgress())
      #expect(loss == whole)
    }
  }

  @Test("every layer has one rank, and no rank has much more than its part", arguments: 1...9)
  func shares(count: Int) throws {
    let model = try OpenedModel(fixture.url.path)
    let layers = try ModelLayers(
      model.model.linears,
      source: model.directory.tensors,
      statistics: nil
    )
    let table = ThreadRanks.Table(count: count)
    let shares = (0..<count).map { layers.share(of: ThreadRanks(rank: $0, table: table)) }
    #expect(shares.flatMap { $0 }.sorted() == Array(layers.layers.indices))
    let costs = layers.layers.map { layer in
      let (rows, columns) = (Double(layer.mask.outputs), Double(layer.columns))
      return (rows + columns) * (rows * rows + rows * columns + columns * columns)
    }
    let loads = shares.map { $0.reduce(0) { $0 + costs[$1] } }
    let largest = try #require(costs.max())
    #expect(try #require(loads.max()) <= costs.reduce(0, +) / Double(count) + largest)
  }

  @Test("what goes from layer to layer is refused before any work")
  func refused() throws {
    var sequential = try options(Removal(.element, 0.5), to: "joint")
    sequential.solver.repair = .sequential
    for options in [sequential, try options(Removal(.element, 0.5, .wanda), to: "joint")] {
      let error = #expect(throws: JobError.self) { try prune(options, ranks: 2) }
      #expect(error?.description.contains("ranks cannot share") == true)
    }
    #expect(try scratch.names() == ["statistics"])
  }

  @Test("ranks that were asked for different things, or see different disks, are told so")
  func disagreement() throws {
    let options = try options(Removal(.element, 0.5), to: "joint")
    let other = try self.options(Removal(.element, 0.6), to: "joint")
    let elsewhere = try self.options(Removal(.element, 0.5), to: "elsewhere")
    for (odd, words) in [(other, "rank 1 has another model"), (elsewhere, "rank 1 does not see")] {
      let error = #expect(throws: JobError.self) {
        try ThreadRanks.run(at: ThreadRanks.Table(count: 3)) { ranks in
          _ = try LLMSurgeon.prune(
            ranks.rank == 1 ? odd : options,
            together: ranks,
            progress: SilentProgress()
          )
        }
      }
      #expect(error?.description.contains(words) == true)
    }
    #expect(try scratch.names() == ["statistics"])
  }
}
