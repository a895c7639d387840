import Foundation
import Pruning
import TestKit
import Testing

@testable import LLMSurgeon

@Suite("The work of a shot that is not complete")
struct ShotJournalTests {
  private static let name = RecordName(.pass(3), layer: 7)

  private func record() -> RunRecord {
    var record = RunRecord()
    record.floats = ["weights": [1, -0.0, .leastNonzeroMagnitude, 3.5], "keys": []]
    record.doubles = ["costs": [.infinity, -1e-300, 0.1], "weights": [2]]
    record.words = ["kept rows": [.max, 0, 1 << 63]]
    return record
  }

  @Test("a record comes back bit by bit, empty lists and equal names included")
  func roundTrip() throws {
    let scratch = try ScratchDirectory()
    let journal = ShotJournal(folder: URL(filePath: scratch.path("work")))
    #expect(journal.record(Self.name) == nil)
    try journal.keep(record(), as: Self.name)
    let found = try #require(journal.record(Self.name))
    #expect(found == record())
    #expect(found.floats["weights"]?[1].sign == .minus)
  }

  @Test("stages are kept apart and removed one by one")
  func stages() throws {
    let scratch = try ScratchDirectory()
    let journal = ShotJournal(folder: URL(filePath: scratch.path("work")))
    let stages: [RecordName.Stage] = [.pass(3), .pass(4), .choice(3), .path, .outcome]
    for (number, stage) in stages.enumerated() {
      var record = RunRecord()
      record.words["number"] = [UInt64(number)]
      try journal.keep(record, as: RecordName(stage, layer: 0))
    }
    journal.remove(.pass(3))
    journal.remove(.path)
    for (number, stage) in stages.enumerated() {
      let found = journal.record(RecordName(stage, layer: 0))?.words["number"]
      #expect(found == ([0, 3].contains(number) ? nil : [UInt64(number)]))
    }
  }

  @Test("a record that is cut anywhere, or of another kind, is none")
  func damage() throws {
    let scratch = try ScratchDirectory()
    let folder = URL(filePath: scratch.path("work"))
    let journal = ShotJournal(folder: folder)
    try journal.keep(record(), as: Self.name)
    let file = folder.appending(path: "pass-3/layer-7.safetensors")
    let whole = try Data(contentsOf: file)
    for length in 0..<whole.count {
      try whole.prefix(length).write(to: file)
      #expect(journal.record(Self.name) == nil, "\(length) of \(whole.count) bytes")
    }
    var other = whole
    let kind = try #require(whole.range(of: Data("words/".utf8)))
    other.replaceSubrange(kind, with: Data("other/".utf8))
    try other.write(to: file)
    #expect(journal.record(Self.name) == nil)
  }
}
