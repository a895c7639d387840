import LinearAlgebra
import Pruning
import Tensors
import TestKit
import Testing

@Suite("Numbers of layers")
struct LayerNumbersTests {
  @Test("a file gives back what memory does, whole and in parts")
  func same() throws {
    let scratch = try ScratchDirectory()
    let counts = [3, 0, 100_000, 1]
    var memory = try LayerNumbers<Float>(counts: counts, directory: nil)
    var file = try LayerNumbers<Float>(counts: counts, directory: scratch.path)
    var random = Random(1)
    for round in 0..<2 {
      for layer in [2, 0, 1, 3] {
        if round == 0 { #expect(try file.numbers(layer: layer) == nil) }
        let numbers = (0..<counts[layer]).map { _ in Float(random.number()) }
        try memory.keep(numbers, layer: layer)
        try file.keep(numbers, layer: layer)
        #expect(try file.numbers(layer: layer) == numbers)
        #expect(try memory.numbers(layer: layer) == numbers)
      }
    }
    for range in [0..<100_000, 0..<0, 99_999..<100_000, 4097..<70_000] {
      #expect(
        try file.numbers(layer: 2, range) == memory.numbers(layer: 2, range)
      )
    }
  }

  @Test("a directory that is not there is named")
  func noDirectory() throws {
    let scratch = try ScratchDirectory()
    let error = try #require(throws: FileError.self) {
      try LayerNumbers<Float>(counts: [1], directory: scratch.path("none"))
    }
    #expect(error.description.contains(scratch.path("none")))
  }

  @Test(
    "a run with its numbers in a file removes and repairs the same, bit by bit",
    arguments: ["element", "2:4", "1:3", "rows-columns"],
    [1, 3]
  )
  func sameRun(structure: String, steps: Int) throws {
    let scratch = try ScratchDirectory()
    let structure = try Structure(structure)
    let problems = try (0..<3).map {
      try sampleProblem($0 + 1, rows: 7 + $0, inputs: 12, hasBias: $0 == 1)
    }
    var settings = try PruningSettings(structure: structure, target: 0.4)
    settings.steps = steps
    let expected = try prune(problems, settings)
    var run = try PruningRun(
      store: LayersInMemory(problems),
      settings: settings,
      scratch: scratch.path
    )
    let plan = try run.choose()
    #expect(plan == expected.plan)
    try run.repair(plan) { index, outcome in
      #expect(outcome.weights == expected.outcomes[index].weights)
      #expect(outcome.lossRepaired == expected.outcomes[index].lossRepaired)
    }
  }
}
