import Foundation
import Glibc
import TestKit
import Testing

@Suite("Full disks, lost files and second processes")
struct DamageTests {
  private static func calibrate(to output: String, _ more: String...) -> [String] {
    [
      "calibrate", Embedded.model, "--text", Embedded.text, "--samples", "8", "--length", "128",
      "--threads", "2", "--output", output,
    ] + more
  }

  /// Runs the program where no file may have more than some blocks of 512 bytes, as on a full disk.
  private func run(_ arguments: [String], blocks: Int) throws -> Surgeon.Output {
    let program = try Surgeon.program().path
    return try Surgeon.run(
      ["-c", "ulimit -f \(blocks); exec \"$0\" \"$@\"", program] + arguments + ["--quiet"],
      program: "/bin/sh"
    )
  }

  /// Expects one line that names the reason.
  private func expectFull(_ output: Surgeon.Output, _ words: String...) {
    #expect(output.status == 1, "\(output.standardError)")
    #expect(output.messages.count == 1, "\(output.standardError)")
    for word in ["File too large", "ulimit"] + words {
      #expect(output.standardError.contains(word), "\(output.standardError)")
    }
  }

  @Test("a full disk is named, leaves nothing half-written, and costs nothing that was there")
  func fullDisk() throws {
    let scratch = try ScratchDirectory()
    let (statistics, pruned) = (scratch.path("statistics"), scratch.path("pruned"))
    let prune = [
      "prune", Embedded.model, "--method", "magnitude", "--target", "0.5", "--output", pruned,
    ]
    let export = [
      "export", Embedded.model, "--format", "gguf", "--output", scratch.path("x.gguf"),
    ]
    expectFull(try run(Self.calibrate(to: statistics), blocks: 100), "block-")
    // What it keeps of the layers comes first.
    expectFull(try run(prune, blocks: 100), ".pruned.unfinished")
    expectFull(try run(export, blocks: 100), "x.gguf")
    #expect(try scratch.names() == [])

    for command in [Self.calibrate(to: statistics), prune, export] {
      try Surgeon.succeed(command)
    }
    let names = try scratch.names()
    let before = try ["statistics", "pruned"].map { try scratch.contents(of: $0) }
    for command in [Self.calibrate(to: statistics, "--samples", "7"), prune, export] {
      expectFull(try run(command + ["--overwrite"], blocks: 100))
    }
    #expect(try scratch.names() == names)
    #expect(try ["statistics", "pruned"].map { try scratch.contents(of: $0) } == before)
  }

  @Test("what was done when the disk became full is kept, and the same command goes on")
  func fullDiskMidway() throws {
    let scratch = try ScratchDirectory()
    try Surgeon.succeed(Self.calibrate(to: scratch.path("whole")))
    let running = try Surgeon.start(Self.calibrate(to: scratch.path("part")))
    try running.wait(for: scratch.path(".part.unfinished/block-00004.safetensors"))
    running.send(SIGKILL)
    _ = try running.finish()
    let kept = try scratch.names(in: ".part.unfinished").filter { $0.hasPrefix("block-") }
    expectFull(try run(Self.calibrate(to: scratch.path("part")), blocks: 100))
    for name in kept { #expect(try scratch.names(in: ".part.unfinished").contains(name)) }
    try Surgeon.succeed(Self.calibrate(to: scratch.path("part")))
    #expect(try scratch.differences("whole", "part") == [])
    #expect(try scratch.names() == ["part", "whole"])
  }

  @Test(
    "what an interrupted calibration had written and is lost or cut is named",
    arguments: ["block-00005.safetensors", "gradient.safetensors"],
    [true, false]
  )
  func lost(name: String, isCut: Bool) throws {
    let scratch = try ScratchDirectory()
    let command = Self.calibrate(to: scratch.path("part"))
    let running = try Surgeon.start(command)
    try running.wait(for: scratch.path(".part.unfinished/block-00004.safetensors"))
    running.send(SIGKILL)
    _ = try running.finish()
    let path = ".part.unfinished/\(name)"
    let bytes = try scratch.read(path)
    if isCut {
      try scratch.write(path, Array(bytes.dropLast(5)))
    } else {
      try FileManager.default.removeItem(atPath: scratch.path(path))
      // Without its state a calibration begins anew and writes all blocks.
      if name.hasPrefix("gradient") {
        try Surgeon.succeed(command)
        return
      }
    }
    try expectFailure(command, saying: ".part.unfinished", name, "remove the folder")
    #expect(try scratch.names() == [".part.unfinished"])
  }

  @Test("a second process on the same output is turned away, and does the first no harm")
  func twice() throws {
    let scratch = try ScratchDirectory()
    try Surgeon.succeed(Self.calibrate(to: scratch.path("whole")))
    let command = Self.calibrate(to: scratch.path("part"))
    let first = try Surgeon.start(command)
    try first.wait(for: scratch.path(".part.unfinished/identity.json"))
    first.send(SIGSTOP)
    for second in [command, Self.calibrate(to: scratch.path("part"), "--seed", "7")] {
      try expectFailure(second, saying: "another process is making", scratch.path("part"))
    }
    first.send(SIGCONT)
    #expect(try first.finish().status == 0)
    #expect(try scratch.differences("whole", "part") == [])
    #expect(try scratch.names() == ["part", "whole"])
  }

  @Test(
    "what a killed process left of a checkpoint is removed by the next one, and nothing else is"
  )
  func partialCheckpoint() throws {
    let scratch = try ScratchDirectory()
    let gone = try Surgeon.start(["--version"])
    _ = try gone.finish()
    let dead = gone.process.processIdentifier
    let kept = [
      ".other.partial-\(dead)", ".out.partial-\(getpid())", ".out.partial-x", ".out.partial-1-2-3",
    ]
    for name in kept { try scratch.write("\(name)/file", "kept") }
    for name in [".out.partial-\(dead)", ".out.partial-\(dead)-2"] {
      try scratch.write("\(name)/model.safetensors", "cut")
    }
    try scratch.write(".x.gguf.partial-\(dead)", "cut")
    try Surgeon.succeed([
      "prune", Embedded.model, "--method", "magnitude", "--target", "0.5", "--output",
      scratch.path("out"),
    ])
    try Surgeon.succeed([
      "export", Embedded.model, "--format", "gguf", "--output", scratch.path("x.gguf"),
    ])
    #expect(try scratch.names() == (kept + ["out", "x.gguf"]).sorted())
  }

  @Test("a full standard output is an error")
  func standardOutput() throws {
    let output = try Surgeon.run(
      [
        "-c", "exec \"$0\" \"$@\" > /dev/full", try Surgeon.program().path, "inspect",
        Embedded.model,
      ],
      program: "/bin/sh"
    )
    #expect(output.status == 1)
    #expect(output.messages.last?.contains("standard output") == true, "\(output.standardError)")
  }
}

extension ScratchDirectory {
  /// The files of a folder.
  fileprivate func contents(of folder: String) throws -> [String: [UInt8]] {
    try names(in: folder).reduce(into: [:]) { $0[$1] = try read("\(folder)/\($1)") }
  }
}
