import Foundation
import MessagePassing
import TestKit
import Testing

@testable import LLMSurgeon

@Suite("Calibration by several ranks")
struct JointCalibrationTests {
  /// Calibrates with ranks that are threads, one of which may be stopped.
  ///
  /// - Returns: How often the ranks met.
  @discardableResult
  private func calibrate(
    _ sharding: Sharding,
    ranks count: Int,
    to name: String,
    stop: (rank: Int, round: Int)? = nil
  ) throws -> Int {
    let options = try sharding.options(nil, to: name)
    let table = ThreadRanks.Table(count: count, stop: stop)
    try ThreadRanks.run(at: table) { ranks in
      _ = try LLMSurgeon.calibrate(options, together: ranks, progress: SilentProgress())
    }
    return table.rounds
  }

  @Test(
    "ranks leave the bytes of as many merged shards, and nothing else",
    arguments: ["opt", "llama3"],
    [1, 2, 3, 4]
  )
  func merged(name: String, count: Int) throws {
    let sharding = try Sharding(name)
    let scratch = sharding.scratch
    try sharding.merge(try sharding.shards(count), to: "merged")
    let names = try scratch.names()
    try calibrate(sharding, ranks: count, to: "joint")
    #expect(try differences(scratch.url("merged"), scratch.url("joint")) == [])
    #expect(try scratch.names() == (names + ["joint"]).sorted())
  }

  @Test("whichever rank is stopped whenever, all continue to the same bytes", arguments: [0, 1, 2])
  func continued(victim: Int) throws {
    let sharding = try Sharding("opt")
    let scratch = sharding.scratch
    let rounds = try calibrate(sharding, ranks: 3, to: "joint")
    // At the last two meetings the statistics may have their name already.
    for round in 1..<rounds - 1 {
      let name = "part-\(round)"
      #expect(throws: ThreadRanks.Stopped.self) {
        try calibrate(sharding, ranks: 3, to: name, stop: (victim, round))
      }
      #expect(!FileManager.default.fileExists(atPath: scratch.path(name)))
      try calibrate(sharding, ranks: 3, to: name)
      #expect(try differences(scratch.url("joint"), scratch.url(name)) == [], "\(name)")
    }
    #expect(try scratch.names().allSatisfy { !$0.hasPrefix(".") })
  }

  @Test("states without the files that they speak of begin anew")
  func lost() throws {
    let sharding = try Sharding("opt")
    let scratch = sharding.scratch
    let rounds = try calibrate(sharding, ranks: 2, to: "joint")
    for round in stride(from: 1, to: rounds - 1, by: 5) {
      let name = "part-\(round)"
      #expect(throws: ThreadRanks.Stopped.self) {
        try calibrate(sharding, ranks: 2, to: name, stop: (1, round))
      }
      try? FileManager.default.removeItem(at: scratch.url(".\(name).unfinished"))
      try calibrate(sharding, ranks: 2, to: name)
      #expect(try differences(scratch.url("joint"), scratch.url(name)) == [], "\(name)")
    }
  }

  @Test("ranks that were asked for different things name the one that differs")
  func disagreement() throws {
    let sharding = try Sharding("opt")
    let options = try sharding.options(nil, to: "joint")
    let error = #expect(throws: JobError.self) {
      try ThreadRanks.run(at: ThreadRanks.Table(count: 3)) { ranks in
        var options = options
        if ranks.rank == 1 { options.windows.samples = 4 }
        _ = try LLMSurgeon.calibrate(options, together: ranks, progress: SilentProgress())
      }
    }
    #expect(error?.description.contains("rank 1") == true)
    #expect(try sharding.scratch.names() == [])
  }
}
