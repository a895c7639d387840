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
}
