import Foundation
import Glibc
import TestKit
import Testing

/// `SURGEON_KILLS` sets the number of kills of each test.
@Suite("Kills at random moments", .serialized)
struct KillTests {
  private static let kills =
    ProcessInfo.processInfo.environment["SURGEON_KILLS"].flatMap { Int($0) } ?? 4

  /// What happened to the runs of one command.
  private struct Course {
    /// The times a process was killed before its output was there.
    var kills = 0
    /// The outputs that were finished, each after some kills.
    var finished = 0
    /// The most blocks whose file was written again after a kill.
    var repeated = 0
  }

  /// Gives a command again and again, killed at random moments until it is through.
  ///
  /// - Parameters:
  ///   - command: The command that writes the output of a name.
  ///   - kills: The number of kills; finished outputs are begun anew until there were as many.
  ///   - scratch: Where the outputs go.
  /// - Returns: What happened.
  /// - Throws: What running the program throws.
  private func torment(
    _ command: (String) -> [String],
    kills: Int,
    in scratch: ScratchDirectory
  ) throws -> Course {
    let start = ContinuousClock.now
    try Surgeon.succeed(command("whole"))
    let whole = ContinuousClock.now - start
    var generator = SplitMix64(seed: 20)
    var course = Course()
    while course.kills < kills {
      let name = "part-\(course.finished)"
      while !FileManager.default.fileExists(atPath: scratch.path(name)), course.kills < kills {
        let running = try Surgeon.start(command(name))
        let share = Double.random(in: 0...1, using: &generator)
        usleep(UInt32(share * (whole / .microseconds(1))))
        running.send(SIGKILL)
        if try running.finish().status == SIGKILL { course.kills += 1 }
        // Some outputs are finished after one kill, the others are killed again.
        guard share > 0.5 || course.kills == kills else { continue }
        course.repeated = max(course.repeated, try finish(command(name), name, in: scratch))
      }
      let differences = try scratch.differences("whole", name)
      #expect(differences == [], "after \(course.kills) kills")
      course.finished += 1
    }
    let names = (0..<course.finished).map { "part-\($0)" } + ["whole"]
    #expect(try scratch.names() == names.sorted())
    return course
  }

  /// Gives the command again after a kill, undisturbed.
  ///
  /// - Returns: How many blocks' files were written again.
  /// - Throws: What running the program throws.
  private func finish(
    _ command: [String],
    _ name: String,
    in scratch: ScratchDirectory
  ) throws -> Int {
    guard !FileManager.default.fileExists(atPath: scratch.path(name)) else { return 0 }
    let before = scratch.stamps(in: ".\(name).unfinished")
    try Surgeon.succeed(command)
    let after = scratch.stamps(in: name)
    return before.count { $0.key.hasPrefix("block-") && after[$0.key] != $0.value }
  }

  /// The least memory that the calibration below takes, as its refusal names it.
  private func leastMemory(_ command: [String]) throws -> String {
    let refusal = try Surgeon.run(command + ["--memory", "1MB"]).standardError
    return try String(#require(refusal.firstMatch(of: /--memory (\d+MB)/)).1)
  }

  @Test(
    "a calibration goes on where it was killed, and writes at most one block again",
    arguments: [false, true]
  )
  func calibration(isOnDisk: Bool) throws {
    let scratch = try ScratchDirectory()
    func command(_ name: String) -> [String] {
      [
        "calibrate", Embedded.model, "--text", Embedded.text, "--samples", "8", "--length", "128",
        "--threads", "2", "--quiet", "--output", scratch.path(name),
      ]
    }
    let memory = isOnDisk ? ["--memory", try leastMemory(command("refused"))] : []
    let course = try torment(
      { command($0) + memory },
      kills: Self.kills,
      in: scratch
    )
    #expect(course.repeated <= 1)
    print("calibrate\(isOnDisk ? ", hidden states on the disk" : ""): \(course)")
  }

  @Test("a pruning in shots goes on where it was killed, and ends with the same bytes")
  func shots() throws {
    let scratch = try ScratchDirectory()
    let course = try torment(
      { name in
        [
          "prune", Embedded.model, "--text", Embedded.text, "--samples", "2", "--length", "64",
          "--structure", "rows-columns", "--target", "0.3", "--shots", "3", "--steps", "1",
          "--threads", "2", "--quiet", "--output", scratch.path(name),
        ]
      },
      kills: Self.kills,
      in: scratch
    )
    print("prune: \(course)")
  }
}
