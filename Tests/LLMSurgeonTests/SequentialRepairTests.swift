import ExactJSON
import Foundation
import LLMSurgeon
import Pruning
import Safetensors
import Tensors
import TestKit
import Testing

@Suite("Repair in sequence")
struct SequentialRepairTests {
  private func options(
    _ fixture: Fixture,
    _ data: PruneData,
    _ structure: Structure,
    _ repair: RepairInputs,
    to output: URL,
    shots: Int = 1
  ) -> PruneOptions {
    PruneOptions(
      model: fixture.url.path,
      data: data,
      removal: RemovalChoice(structure: structure, target: structure == .element ? 0.6 : 0.5),
      solver: SolverChoice(repair: repair),
      shots: shots,
      output: output
    )
  }

  private func tokens(_ fixture: Fixture) -> PruneData {
    .calibrate(fixture.input, WindowChoice(), .empirical)
  }

  private func weights(_ checkpoint: URL) throws -> SafetensorsFile {
    try SafetensorsFile(path: checkpoint.appending(path: "model.safetensors").path)
  }

  @Test(
    "removes what the repair of all layers at once removes",
    arguments: ["opt", "llama3"],
    [Structure.element, .nm(kept: 2, of: 4), .rowsColumns]
  )
  func sameChoice(name: String, structure: Structure) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture(name)
    for repair in RepairInputs.allCases {
      let output = scratch.url(repair.rawValue)
      _ = try prune(options(fixture, tokens(fixture), structure, repair, to: output))
    }
    let dense = try weights(scratch.url("dense"))
    let sequential = try weights(scratch.url("sequential"))
    var moved = false
    for name in dense.names where dense.description(of: name)?.shape.count == 2 {
      let (one, other) = (try dense.floats(name), try sequential.floats(name))
      #expect(one.map { $0 == 0 } == other.map { $0 == 0 }, "\(name)")
      // What the first layers read has not changed.
      if "\(name)".contains("layers.0.self_attn.q_proj") { #expect(one == other, "\(name)") }
      if one != other { moved = true }
    }
    #expect(moved)
  }

  @Test("is the same from statistics and from their tokens, and in two runs")
  func reproducible() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama3")
    try fixture.calibrate(into: scratch.url("statistics"))
    let statistics = PruneData.statistics(scratch.url("statistics"))
    let inputs = [("tokens", tokens(fixture)), ("once", statistics), ("again", statistics)]
    for (name, data) in inputs {
      _ = try prune(options(fixture, data, .element, .sequential, to: scratch.url(name)))
    }
    #expect(try differences(scratch.url("once"), scratch.url("again")) == [])
    let first = try weights(scratch.url("tokens"))
    let second = try weights(scratch.url("once"))
    for name in first.names { #expect(try first.bytes(name) == second.bytes(name), "\(name)") }
  }

  @Test("works with several shots and with neurons and heads, and the report says so")
  func shots() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    let several = scratch.url("several")
    _ = try prune(
      options(fixture, tokens(fixture), .rowsColumns, .sequential, to: several, shots: 2)
    )
    let units = scratch.url("units")
    let structure = try Structure("neurons,heads")
    let report = try prune(options(fixture, tokens(fixture), structure, .sequential, to: units))
    #expect(report.shareRemoved >= 0.5)
    for output in [several, units] {
      let notes = try json(output.appending(path: "surgeon-report.json"))["notes"]?.array
      #expect(notes?.contains { $0.string?.hasPrefix("repair: sequential") == true } == true)
    }
  }

  @Test("needs the windows of the statistics, and says so")
  func windowsMissing() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    let statistics = scratch.url("statistics")
    try fixture.calibrate(into: statistics)
    try FileManager.default.removeItem(at: statistics.appending(path: "tokens.safetensors"))
    let error = #expect(throws: JobError.self) {
      _ = try prune(
        options(
          fixture,
          .statistics(statistics),
          .element,
          .sequential,
          to: scratch.url("pruned")
        )
      )
    }
    #expect(error.map { "\($0)".contains("the windows") } == true)
  }

  @Test("is refused where nothing is repaired, and in a sweep", arguments: Method.allCases)
  func refusals(method: Method) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    var chosen = options(
      fixture,
      tokens(fixture),
      .element,
      .sequential,
      to: scratch.url("pruned")
    )
    chosen.removal.method = method
    if method == .surgeon {
      #expect(throws: JobError.self) { try sweep(chosen, targets: [0.5]) }
    } else {
      let error = #expect(throws: JobError.self) { try prune(chosen) }
      #expect(error.map { "\($0)".contains(method.rawValue) } == true)
    }
    #expect(try scratch.names() == [])
  }
}
