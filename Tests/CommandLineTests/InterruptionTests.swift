import Foundation
import Glibc
import TestKit
import Testing

@Suite("Interruptions")
struct InterruptionTests {
  private static let windows = ["--samples", "8", "--length", "256", "--threads", "2"]

  private static func calibrate(to output: String) -> [String] {
    ["calibrate", Embedded.model, "--text", Embedded.text, "--output", output] + windows
  }

  @Test(
    "an interrupted calibration says so, and continues to the same bytes",
    arguments: [SIGINT, SIGTERM, SIGKILL]
  )
  func calibration(number: Int32) throws {
    let scratch = try ScratchDirectory()
    try Surgeon.succeed(Self.calibrate(to: scratch.path("whole")))
    let command = Self.calibrate(to: scratch.path("part"))
    let running = try Surgeon.start(command)
    try running.wait(for: scratch.path(".part.unfinished/block-00004.safetensors"))
    running.send(number)
    let output = try running.finish()
    #expect(try scratch.names() == [".part.unfinished", "whole"])
    if number != SIGKILL {
      #expect(output.status == 128 + number)
      let word = number == SIGINT ? "interrupted" : "terminated"
      let last = output.messages.last ?? ""
      #expect(last == "surgeon: \(word); give the same command again to continue")
    }
    let rest = try Surgeon.succeed(command)
    #expect(rest.standardError.contains("continuing an unfinished calibration"))
    #expect(try scratch.differences("whole", "part") == [])
    #expect(try scratch.names() == ["part", "whole"])
  }

  @Test(
    "an interrupted pruning in shots continues to the same bytes",
    arguments: [SIGINT, SIGKILL]
  )
  func shots(number: Int32) throws {
    let scratch = try ScratchDirectory()
    func command(_ name: String) -> [String] {
      [
        "prune", Embedded.model, "--text", Embedded.text, "--samples", "4", "--length", "64",
        "--structure", "rows-columns", "--target", "0.3", "--shots", "2", "--steps", "1",
        "--threads", "2", "--output", scratch.path(name),
      ]
    }
    try Surgeon.succeed(command("whole"))
    let running = try Surgeon.start(command("part"))
    try running.wait(for: scratch.path(".part.unfinished/shot-1.safetensors"))
    running.send(number)
    let output = try running.finish()
    #expect(try scratch.names() == [".part.unfinished", "whole"])
    if number == SIGINT { #expect(output.status == 130) }
    let rest = try Surgeon.succeed(command("part"))
    #expect(rest.standardError.contains("continuing an unfinished run after shot 1 of 2"))
    #expect(try scratch.differences("whole", "part") == [])
    #expect(try scratch.names() == ["part", "whole"])
  }

  @Test("an interrupted curve leaves nothing behind", arguments: [SIGINT, SIGTERM])
  func curve(number: Int32) throws {
    let scratch = try ScratchDirectory()
    let temporary = try ScratchDirectory()
    let running = try Surgeon.start(
      [
        "prune", Embedded.model, "--text", Embedded.text, "--structure", "neurons", "--sweep",
        "0.1,0.2",
      ] + Self.windows,
      in: scratch.path("."),
      temporary: temporary.path(".")
    )
    while try !temporary.names().contains(where: { $0.hasPrefix("surgeon-") }) {
      try #require(running.process.isRunning, "it ended before its folder was there")
      usleep(2000)
    }
    running.send(number)
    let output = try running.finish()
    #expect(output.status == 128 + number)
    #expect(output.messages.last == "surgeon: \(number == SIGINT ? "interrupted" : "terminated")")
    #expect(try temporary.names() == [])
    #expect(try scratch.names() == [])
  }

  @Test(
    "an interrupted sweep keeps what is finished, and ends with the same bytes",
    arguments: [SIGINT, SIGKILL]
  )
  func sweep(number: Int32) throws {
    let scratch = try ScratchDirectory()
    func command(_ name: String) -> [String] {
      [
        "prune", Embedded.model, "--text", Embedded.text, "--samples", "2", "--length", "32",
        "--structure", "rows-columns", "--sweep", "0.1,0.2,0.3", "--threads", "2", "--output",
        scratch.path(name),
      ]
    }
    try Surgeon.succeed(command("whole"))
    let running = try Surgeon.start(command("part"))
    try running.wait(for: scratch.path(".part.unfinished/begun-0.2"))
    running.send(number)
    let output = try running.finish()
    #expect(try scratch.names() == [".part.unfinished", "part", "whole"])
    if number == SIGINT { #expect(output.status == 130) }
    let first = scratch.path("part/0.1/model.safetensors")
    func written() throws -> NSDate? {
      let attributes = try FileManager.default.attributesOfItem(atPath: first)
      return attributes[.modificationDate] as? NSDate
    }
    let before = try #require(try written())
    try Surgeon.succeed(command("part"))
    #expect(try written() == before)
    #expect(try scratch.names() == ["part", "whole"])
    #expect(try scratch.names(in: "part") == ["0.1", "0.2", "0.3"])
    for target in ["0.1", "0.2", "0.3"] {
      #expect(try scratch.differences("whole/\(target)", "part/\(target)") == [])
    }
    try expectFailure(command("part"), saying: "exists", "--overwrite")
  }

  @Test("work of other settings is refused by name, and may be finished or removed")
  func otherSettings() throws {
    let scratch = try ScratchDirectory()
    let command = Self.calibrate(to: scratch.path("part"))
    let running = try Surgeon.start(command)
    try running.wait(for: scratch.path(".part.unfinished/block-00005.safetensors"))
    running.send(SIGKILL)
    _ = try running.finish()
    try expectFailure(
      command.map { $0 == "8" ? "7" : $0 },
      saying: scratch.path(".part.unfinished")
    )
    try Surgeon.succeed(command)
    #expect(try scratch.names() == ["part"])
  }
}
