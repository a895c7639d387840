import Foundation
import LLMSurgeon
import Pruning
import Synchronization
import TestKit
import Testing

/// Copies the folder of an unfinished run at one moment, as a killed process would leave it.
final class Snapshot: ProgressListener {
  private let source: URL
  private let copy: URL
  private let moment: Int
  private let state = Mutex((events: 0, notes: [String]()))

  /// Copies `source` to `copy` at the event number `moment`, counted from 1.
  init(of source: URL, to copy: URL, at moment: Int) {
    self.source = source
    self.copy = copy
    self.moment = moment
  }

  /// The number of events so far.
  var events: Int { state.withLock { $0.events } }
  /// What was noted.
  var notes: [String] { state.withLock { $0.notes } }

  func begin(_ phase: String, total: Int, unit: String) { event() }
  func advance(to completed: Int) { event() }
  func end() { event() }
  func note(_ message: String) {
    state.withLock { $0.notes.append(message) }
    event()
  }

  private func event() {
    let isMoment = state.withLock { state in
      state.events += 1
      return state.events == moment
    }
    guard isMoment else { return }
    try? FileManager.default.copyItem(at: source, to: copy)
  }
}

@Suite("Continuing after a kill")
struct ContinuationTests {
  @Test(
    "a calibration that was killed anywhere ends with the same bytes",
    arguments: ["opt", "llama3"]
  )
  func calibration(name: String) throws {
    let fixture = try Fixture(name)
    let continued = try kills { output, listener in
      try fixture.calibrate(into: output, progress: listener)
    }
    // After the first of two blocks, and after the second.
    #expect(Set(continued).isSuperset(of: ["continuing an unfinished calibration at block 0"]))
  }

  @Test(
    "a pruning in shots that was killed anywhere ends with the same bytes",
    arguments: [
      Structure.rowsColumns, .element,
    ]
  )
  func shots(structure: Structure) throws {
    let fixture = try Fixture("opt")
    let continued = try kills(every: 7) { output, listener in
      _ = try prune(
        PruneOptions(
          model: fixture.url.path,
          data: .calibrate(fixture.input, WindowChoice(), .empirical),
          removal: RemovalChoice(structure: structure, target: 0.5),
          solver: SolverChoice(steps: 2),
          shots: 3,
          output: output
        ),
        progress: listener
      )
    }
    #expect(
      Set(continued).isSuperset(of: [
        "continuing an unfinished run after shot 1 of 3",
        "continuing an unfinished run after shot 2 of 3",
        "continuing an unfinished calibration at block 0",
      ])
    )
  }

  /// Runs once whole, then once from each moment's remains.
  ///
  /// - Returns: What the continued runs noted.
  private func kills(
    every step: Int = 1,
    _ run: (URL, Snapshot) throws -> Void
  ) throws -> [String] {
    let scratch = try ScratchDirectory()
    let whole = scratch.url("whole")
    let remains = scratch.url(".whole.unfinished")
    let listener = Snapshot(of: remains, to: remains, at: 0)
    try run(whole, listener)
    var notes: [String] = []
    for moment in stride(from: 1, through: listener.events, by: step) {
      let name = "part-\(moment)"
      let killed = scratch.url("\(name)-killed")
      let copy = Snapshot(
        of: scratch.url(".\(name)-killed.unfinished"),
        to: scratch.url(".\(name).unfinished"),
        at: moment
      )
      try run(killed, copy)
      let rest = Snapshot(of: remains, to: remains, at: 0)
      try run(scratch.url(name), rest)
      notes += rest.notes
      #expect(try differences(whole, scratch.url(name)) == [], "killed at event \(moment)")
    }
    return notes
  }
}
