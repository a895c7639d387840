import Checkpoint
import Foundation
import Tensors
import TestKit
import Testing

@Suite("Staged directories")
struct StagedDirectoryTests {
  /// Writes a directory with the single file "new", or gives up before it is complete.
  static func stage(
    _ destination: String,
    _ existing: StagedDirectory.Existing = .refused,
    apartFrom source: String? = nil,
    completing: Bool = true
  ) throws {
    let staged = try StagedDirectory(destination, existing: existing, apartFrom: source)
    var file = try OutputFile(staged.path + "/new")
    try file.write([1])
    try file.commit()
    if completing { try staged.commit() }
  }

  @Test("a directory appears only when it is complete")
  func appears() throws {
    let scratch = try ScratchDirectory()
    let staged = try StagedDirectory(scratch.path("out"))
    try scratch.write("decoy", "")
    #expect(!FileManager.default.fileExists(atPath: scratch.path("out")))
    try staged.commit()
    #expect(try scratch.names() == ["decoy", "out"])
  }

  @Test("a directory that is not completed leaves nothing, not even those made above it")
  func abandoned() throws {
    let scratch = try ScratchDirectory()
    try Self.stage(scratch.path("a/b/out"), completing: false)
    #expect(try scratch.names().isEmpty)
    try Self.stage(scratch.path("a/b/out"))
    #expect(try scratch.names(in: "a/b/out") == ["new"])
  }

  @Test("an empty directory is replaced, one with content is refused and stays")
  func refused() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("out/old", "")
    let error = #expect(throws: CheckpointError.self) { try Self.stage(scratch.path("out")) }
    guard case .outputExists = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    try FileManager.default.removeItem(atPath: scratch.path("out/old"))
    try Self.stage(scratch.path("out"))
    #expect(try scratch.names(in: "out") == ["new"])
    #expect(try scratch.names() == ["out"])
  }

  @Test("a former output is replaced when asked, and nothing else is")
  func replaced() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("out/old", "")
    #expect(throws: CheckpointError.self) {
      try Self.stage(scratch.path("out"), .replaced(ifContaining: "config.json"))
    }
    #expect(try scratch.names(in: "out") == ["old"])
    try scratch.write("out/config.json", "{}")
    try Self.stage(
      scratch.path("out"),
      .replaced(ifContaining: "config.json"),
      completing: false
    )
    #expect(try scratch.names(in: "out") == ["config.json", "old"])
    try Self.stage(scratch.path("out"), .replaced(ifContaining: "config.json"))
    #expect(try scratch.names(in: "out") == ["new"])
    #expect(try scratch.names() == ["out"])
  }

  @Test("what a killed process left is removed, and a directory that it moved aside comes back")
  func killed() throws {
    let process = try Process.run(URL(filePath: "/bin/true"), arguments: [])
    process.waitUntilExit()
    let partial = ".out.partial-\(process.processIdentifier)"
    let scratch = try ScratchDirectory()
    try scratch.write("\(partial)/new", "")
    try scratch.write("\(partial).old/config.json", "{}")
    try Self.stage(
      scratch.path("out"),
      .replaced(ifContaining: "config.json"),
      completing: false
    )
    #expect(try scratch.names() == ["out"])
    #expect(try scratch.names(in: "out") == ["config.json"])
    try scratch.write("\(partial).old/config.json", "{}")
    try Self.stage(scratch.path("out"), .replaced(ifContaining: "config.json"))
    #expect(try scratch.names() == ["out"])
    #expect(try scratch.names(in: "out") == ["new"])
  }

  @Test("content that came meanwhile is not lost")
  func meanwhile() throws {
    let scratch = try ScratchDirectory()
    func stage() throws {
      let staged = try StagedDirectory(scratch.path("out"))
      try scratch.write("out/precious", "")
      try staged.commit()
    }
    #expect(throws: CheckpointError.self) { try stage() }
    #expect(try scratch.names() == ["out"])
    #expect(try scratch.names(in: "out") == ["precious"])
  }

  @Test("a link to a directory is followed: the directory is replaced, the link stays")
  func link() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("real/config.json", "{}")
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path("out"),
      withDestinationPath: "real"
    )
    try Self.stage(scratch.path("out"), .replaced(ifContaining: "config.json"))
    #expect(try scratch.names(in: "real") == ["new"])
    #expect(try scratch.names() == ["out", "real"])
  }

  @Test("an output that would destroy its source is refused")
  func overlap() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("in/config.json", "{}")
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path("link"),
      withDestinationPath: "in"
    )
    let source = scratch.path("in")
    for output in ["in", "in/", "in/out", "in/a/b", ".", "link", "link/out", "./in/../in"] {
      let error = #expect(throws: CheckpointError.self) {
        try Self.stage(
          scratch.path(output),
          .replaced(ifContaining: "config.json"),
          apartFrom: source
        )
      }
      guard case .outputOverlapsSource = error else {
        Issue.record("\(output): \(String(describing: error))")
        continue
      }
    }
    try Self.stage(scratch.path("in2"), apartFrom: source)
    #expect(try scratch.names() == ["in", "in2", "link"])
  }

  @Test("places that cannot be are refused")
  func invalid() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("file", "")
    for output in ["", scratch.path("none/.."), scratch.path("none/../x"), scratch.path("file")] {
      #expect(throws: CheckpointError.self) { try Self.stage(output) }
    }
    #expect(throws: FileError.self) { try Self.stage(scratch.path("file/out")) }
    #expect(try scratch.names() == ["file"])
  }
}
