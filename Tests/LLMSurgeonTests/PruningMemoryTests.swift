import DemonstrationModel
import ExactJSON
import Foundation
import Pruning
import Report
import Tensors
import TestKit
import Testing

@testable import LLMSurgeon

@Suite("Memory of a pruning")
struct PruningMemoryTests {
  private func options(
    _ fixture: Fixture,
    _ structure: Structure,
    _ memory: CalibrationMemory,
    in scratch: ScratchDirectory
  ) throws -> PruneOptions {
    PruneOptions(
      model: fixture.url.path,
      data: .statistics(try fixture.statistics(in: scratch)),
      removal: RemovalChoice(structure: structure, target: 0.4),
      memory: memory,
      output: scratch.url("out")
    )
  }

  private func footprint(_ options: PruneOptions) throws -> PruningFootprint {
    let opened = try OpenedModel(options.model)
    let tokens = try StatisticsDirectory(
      URL(filePath: options.output.deletingLastPathComponent().appending(path: "statistics").path)
    ).manifest.positions
    return PruningFootprint(
      of: opened.model,
      settings: try options.settings(target: nil),
      windows: (tokens, 128, false)
    )
  }

  @Test(
    "what does not fit is refused before any work, with a number that does",
    arguments: [Structure.element, .rowsColumns, .nm(kept: 2, of: 4), .units([.neurons])]
  )
  func refused(structure: Structure) throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama")
    var options = try options(fixture, structure, CalibrationMemory(), in: scratch)
    let memory = try footprint(options).memory
    let needed = "\(Int((memory / 1e6).rounded(.up)))MB"
    options.memory = CalibrationMemory(limit: Int(memory) - 1)
    let before = try scratch.names()
    let error = try #require(throws: JobError.self) { try prune(options) }
    #expect(error.description.contains("--memory \(needed)"))
    #expect(error.description.contains(Quantity.bytes(Int(memory) - 1)))
    #expect(try scratch.names() == before)
    let curve = try #require(throws: JobError.self) { try sweep(options, targets: [0.1]) }
    #expect(curve == error)
    options.memory = CalibrationMemory(limit: try #require(ByteCount(needed)).value)
    _ = try prune(options)
  }

  @Test("a refusal names what would fit instead")
  func remedies() throws {
    let footprint = PruningFootprint(memory: 3e9, scratch: 0, layers: [1])
    let error = try #require(throws: JobError.self) {
      try footprint.check(
        limit: 2_000_000_000,
        names: ["q", "down"],
        remedies: [("--threads 1", 1.5e9), ("--method kobd", 2.5e9)]
      )
    }
    #expect(error.description.contains("for down"))
    #expect(error.description.contains("give --threads 1 (1.5 GB), or --memory 3000MB"))
    #expect(!error.description.contains("kobd"))
  }

  @Test("scratch files go where they are told, and a place that is not there is named")
  func scratchDirectory() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("opt")
    var options = try options(fixture, .element, CalibrationMemory(), in: scratch)
    _ = try prune(options)
    let expected = try tree(options.output)
    options.output = scratch.url("other")
    options.memory.scratch = scratch.url("none")
    let error = try #require(throws: FileError.self) { try prune(options) }
    #expect(error.description.contains(scratch.path("none")))
    try FileManager.default.createDirectory(
      at: scratch.url("none"),
      withIntermediateDirectories: true
    )
    options.overwrite = true
    _ = try prune(options)
    #expect(try tree(options.output) == expected)
    #expect(try tree(scratch.url("none")) == [:])
  }

  @Test("an inspection tells what prunings need, as much as their refusal says")
  func inspection() throws {
    let scratch = try ScratchDirectory()
    let fixture = try Fixture("llama")
    let options = try options(fixture, .element, CalibrationMemory(), in: scratch)
    let manifest = try StatisticsDirectory(scratch.url("statistics")).manifest
    let inspection = try inspect(
      model: fixture.url.path,
      plan: WindowChoice(samples: manifest.sequences, length: manifest.length)
    )
    let element = try #require(inspection.prunings.first { $0.structure == .element })
    let footprint = try footprint(options)
    #expect(element.memory == footprint.memory && element.scratch == footprint.scratch)
    let document = try JSONParser.parse(Array(inspection.json.utf8))
    let told = try #require(document["prunings"]?.array)
    #expect(told.count == inspection.prunings.count)
    #expect(told.allSatisfy { ($0["memoryBytes"]?.integer ?? 0) > 0 })
    #expect(told.allSatisfy { ($0["seconds"]?.double ?? 0) > 0 })
    let text = inspection.text(columns: 80, isTerminal: false)
    #expect(text.contains("Prunings from it") && text.contains("\nrows-columns "))
  }
}
