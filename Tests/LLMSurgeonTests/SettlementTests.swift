import ExactJSON
import Foundation
import TestKit
import Testing

@testable import LLMSurgeon

@Suite("Kills while an output gets its name")
struct SettlementTests {
  @Test("an output that was moved aside gets its name back, and is not replaced unasked")
  func movedAside() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    try fixture.calibrate(into: scratch.url("out"))
    let before = try tree(scratch.url("out"))
    try FileManager.default.moveItem(at: scratch.url("out"), to: scratch.url(".out.replaced"))
    #expect(throws: JobError.outputExists(path: scratch.url("out").relativePath)) {
      try fixture.calibrate(into: scratch.url("out"))
    }
    #expect(try scratch.names() == ["out"])
    #expect(try tree(scratch.url("out")) == before)
  }

  @Test("what a run keeps for itself leaves an output that is complete")
  func complete() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    try fixture.calibrate(into: scratch.url("out"))
    let before = try tree(scratch.url("out"))
    for name in ["out/run.lock", "out/identity.json", ".out.replaced/manifest.json"] {
      try scratch.write(name, "left")
    }
    #expect(throws: JobError.outputExists(path: scratch.url("out").relativePath)) {
      try fixture.calibrate(into: scratch.url("out"))
    }
    #expect(try scratch.names() == ["out"])
    #expect(try tree(scratch.url("out")) == before)
  }

  @Test("what appeared at the output while the work was done is not replaced")
  func appeared() throws {
    let scratch = try ScratchDirectory()
    let folder = try UnfinishedFolder(for: scratch.url("out"), identity: ["run": 1])
    try scratch.write(".out.unfinished/manifest.json", "work")
    try scratch.write("out/notes.txt", "somebody's")
    for overwrite in [false, true] {
      #expect(throws: JobError.self) {
        try folder.become(scratch.url("out"), mark: "manifest.json", overwrite: overwrite)
      }
    }
    #expect(try scratch.read("out/notes.txt") == Array("somebody's".utf8))
    #expect(try scratch.names() == [".out.unfinished", "out"])
  }

  @Test("work that other kernels have done is not continued, and the message names them")
  func otherKernels() throws {
    let scratch = try ScratchDirectory()
    let identity: JSONValue = ["run": 1]
    _ = try UnfinishedFolder(for: scratch.url("out"), identity: identity)
    try scratch.write(".out.unfinished/work", "done")
    _ = try UnfinishedFolder(for: scratch.url("out"), identity: identity)
    let record: JSONValue = ["kernels": "Another", "run": identity]
    let file = ".out.unfinished/identity.json"
    try scratch.write(file, String(decoding: JSONWriter.write(record, indent: 2), as: UTF8.self))
    let remains = scratch.url(".out.unfinished").relativePath
    #expect(throws: JobError.otherKernels(path: remains, kernels: "Another")) {
      _ = try UnfinishedFolder(for: scratch.url("out"), identity: identity)
    }
    #expect(throws: JobError.foreignRemains(path: remains)) {
      _ = try UnfinishedFolder(for: scratch.url("out"), identity: ["run": 2])
    }
  }
}
