import Foundation
import LLMSurgeon
import Pruning
import Synchronization
import TestKit
import Testing

/// Copies the folder of an unfinished run whenever its files changed, as kills would leave it.
final class Snapshots: ProgressListener {
  private struct State {
    var files: [String] = []
    var copies: [URL] = []
    var notes: [String] = []
  }

  private let source: URL?
  private let state = Mutex(State())

  /// Copies `source`, or nothing.
  init(of source: URL? = nil) { self.source = source }

  /// The copies, oldest first; they lie beside the folder.
  var copies: [URL] { state.withLock { $0.copies } }
  /// What was noted.
  var notes: [String] { state.withLock { $0.notes } }

  func begin(_ phase: String, total: Int, unit: String) { look() }
  func advance(to completed: Int) { look() }
  func end() { look() }
  func note(_ message: String) {
    state.withLock { $0.notes.append(message) }
    look()
  }

  private func look() {
    guard let source else { return }
    let manager = FileManager.default
    guard let files = try? manager.subpathsOfDirectory(atPath: source.path).sorted() else { return }
    state.withLock { state in
      guard files != state.files else { return }
      state.files = files
      let name = ".part-\(state.copies.count).unfinished"
      let copy = source.deletingLastPathComponent().appending(path: name)
      guard (try? manager.copyItem(at: source, to: copy)) != nil else { return }
      state.copies.append(copy)
    }
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
    let notes = try kills { try fixture.calibrate(into: $0, progress: $1) }
    #expect(Set(notes).contains("continuing an unfinished calibration at block 0"))
  }

  @Test(
    "a pruning in shots that was killed anywhere ends with the same bytes",
    arguments: [Structure.rowsColumns, .element, .units([.neurons, .heads])]
  )
  func shots(structure: Structure) throws {
    let fixture = try Fixture("opt")
    let notes = try kills { output, listener in
      _ = try prune(
        PruneOptions(
          model: fixture.url.path,
          data: .calibrate(fixture.input, WindowChoice(), .empirical),
          removal: RemovalChoice(structure: structure, target: 0.5),
          solver: SolverChoice(steps: 2, repairSteps: 5),
          shots: 3,
          output: output
        ),
        progress: listener
      )
    }
    #expect(
      Set(notes).isSuperset(of: [
        "continuing an unfinished run after shot 1 of 3",
        "continuing an unfinished run after shot 2 of 3",
        "continuing an unfinished calibration at block 0",
      ])
    )
  }

  @Test("a training that was killed anywhere ends with the same bytes")
  func retraining() throws {
    let retraining = try Retraining("opt", [.biases, .norms, .maskLoRA])
    let notes = try kills { try retraining.run(to: $0, progress: $1) }
    #expect(
      Set(notes).isSuperset(of: [
        "continuing an unfinished training after step 2",
        "continuing an unfinished training after step 4",
      ])
    )
  }

  @Test("a removal of blocks with training that was killed anywhere ends with the same bytes")
  func chopping() throws {
    let notes = try kills { output, listener in
      var chopping = Chopping(.remove(2), steps: 3, to: output)
      chopping.options.removal.stepsBefore = 1
      chopping.options.removal.interval = 2
      chopping.options.distillation = Distillation(logits: 0.5, hidden: 0.1)
      _ = try chop(chopping.options, progress: listener)
    }
    #expect(
      Set(notes).isSuperset(of: [
        "continuing an unfinished run after step 1", "continuing an unfinished run after step 3",
        "continuing an unfinished run after step 4",
      ])
    )
  }

  @Test("a reconstruction that was killed anywhere ends with the same bytes")
  func reconstruction() throws {
    let scratch = try ScratchDirectory()
    let choice = ReconstructionChoice(window: .parts)
    let rebuilding = try Rebuilding("opt", [.biases, .maskLoRA], choice, in: scratch)
    let notes = try kills { output, listener in
      var options = rebuilding.options
      options.output = output
      _ = try reconstruct(options, progress: listener)
    }
    #expect(Set(notes).contains("continuing an unfinished reconstruction after window 2"))
  }

  @Test("a pruning that trains between its shots ends with the same bytes")
  func correction() throws {
    let fixture = try Fixture("opt")
    _ = try kills { output, listener in
      _ = try prune(
        PruneOptions(
          model: fixture.url.path,
          data: .calibrate(fixture.input, WindowChoice(), .empirical),
          removal: RemovalChoice(structure: .element, target: 0.5),
          solver: SolverChoice(steps: 2, repairSteps: 5),
          shots: 2,
          schedule: ShotSchedule(correction: ShotCorrection(steps: 2, batch: 1)),
          output: output
        ),
        progress: listener
      )
    }
  }

  /// Runs once whole, then from each of the remains that a kill could have left.
  ///
  /// - Returns: What the continued runs noted.
  private func kills(_ run: (URL, Snapshots) throws -> Void) throws -> [String] {
    let scratch = try ScratchDirectory()
    let whole = scratch.url("whole")
    let snapshots = Snapshots(of: scratch.url(".whole.unfinished"))
    try run(whole, snapshots)
    #expect(snapshots.copies.count >= 3)
    var notes: [String] = []
    for number in snapshots.copies.indices {
      // What the killed process was writing at that moment.
      try scratch.write(".part-\(number).unfinished/.block-00000.safetensors.partial-1", "cut")
      let rest = Snapshots()
      try run(scratch.url("part-\(number)"), rest)
      notes += rest.notes
      #expect(try differences(whole, scratch.url("part-\(number)")) == [], "kill \(number)")
    }
    let names = try scratch.names()
    #expect(names == (snapshots.copies.indices.map { "part-\($0)" } + ["whole"]).sorted())
    return notes
  }
}
