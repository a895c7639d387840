import LinearAlgebra
import MessagePassing
import Pruning
import Synchronization
import Testing

/// Records in memory.
private final class MemoryJournal: RunJournal {
  private let records = Mutex<[RecordName: RunRecord]>([:])
  private let count = Mutex(0)

  var ranks: (any RankGroup)? { nil }

  /// How many records of work were kept: choices are not counted, they cost nothing.
  var kept: Int { count.withLock { $0 } }
  /// The names of all records that are there.
  var names: Set<RecordName> { records.withLock { Set($0.keys) } }

  func record(_ name: RecordName) -> RunRecord? { records.withLock { $0[name] } }

  func keep(_ record: RunRecord, as name: RecordName) {
    records.withLock { $0[name] = record }
    if case .choice = name.stage { return }
    count.withLock { $0 += 1 }
  }

  func remove(_ stage: RecordName.Stage) {
    records.withLock { $0 = $0.filter { $0.key.stage != stage } }
  }

  /// Loses records.
  func lose(_ isLost: (RecordName) -> Bool) {
    records.withLock { $0 = $0.filter { !isLost($0.key) } }
  }
}

/// Layers that can be read so many times; then the process ends.
private final class MortalStore: LayerStore {
  struct End: Error {}

  let problems: [LayerProblem]
  private let readings: Atomic<Int>

  init(_ problems: [LayerProblem], readings: Int) {
    self.problems = problems
    self.readings = Atomic(readings)
  }

  var layers: [LayerDescription] { LayersInMemory(problems).layers }

  func problem(at index: Int) throws -> LayerProblem {
    guard readings.subtract(1, ordering: .relaxed).newValue >= 0 else { throw End() }
    return problems[index]
  }
}

/// Counts what a run tells of layers.
private final class Told: Sendable {
  private let layersBegun = Atomic(0)
  private let layersFound = Atomic(0)

  var begun: Int { layersBegun.load(ordering: .relaxed) }
  var found: Int { layersFound.load(ordering: .relaxed) }

  @Sendable func hear(_ event: PruningProgress) {
    switch event.stage {
    case .pricing, .repairing: layersBegun.add(1, ordering: .relaxed)
    case .found: layersFound.add(1, ordering: .relaxed)
    case .iterated: break
    }
  }
}

private struct Result: Equatable {
  var plan: PruningPlan
  var weights: [Matrix<Float>] = []
  var losses: [Double?] = []
}

@Suite("A run that goes on after its process was ended", .serialized)
struct JournalTests {
  static let structures: [Structure] = [.element, .nm(kept: 2, of: 4), .rowsColumns]

  private func settings(_ structure: Structure) throws -> PruningSettings {
    var settings = try PruningSettings(structure: structure, target: 0.5)
    settings.steps = structure == .nm(kept: 2, of: 4) ? 1 : 3
    return settings
  }

  private func finish(
    _ problems: [LayerProblem],
    _ settings: PruningSettings,
    readings: Int = .max,
    _ journal: MemoryJournal?,
    progress: @escaping ProgressHandler = { _ in }
  ) throws -> Result {
    var run = try PruningRun(
      store: MortalStore(problems, readings: readings),
      settings: settings,
      consequences: [
        Consequence(
          causes: [StructureID(layer: 0, axis: .row, index: 1)],
          freed: [StructureID(layer: 1, axis: .column, index: 2)]
        )
      ],
      journal: journal
    )
    var result = Result(plan: try run.choose(progress: progress))
    try run.repair(result.plan, progress: progress) { _, outcome in
      result.weights.append(outcome.weights)
      result.losses += [outcome.lossZeroedOnly, outcome.lossRepaired]
    }
    return result
  }

  private func problems() throws -> [LayerProblem] {
    try (1...3).map { try sampleProblem($0, rows: 8 + $0, inputs: 12, hasBias: $0 == 2) }
  }

  @Test(
    "ends with the same bits wherever it was ended, and computes nothing twice",
    arguments: structures
  )
  func everyMoment(structure: Structure) throws {
    let settings = try settings(structure)
    let problems = try problems()
    let undisturbed = MemoryJournal()
    let whole = try finish(problems, settings, nil)
    #expect(try finish(problems, settings, undisturbed) == whole)
    var readings = 0
    var isThrough = false
    while !isThrough {
      let journal = MemoryJournal()
      do {
        _ = try finish(problems, settings, readings: readings, journal)
        isThrough = true
      } catch is MortalStore.End {}
      let told = Told()
      let result = try finish(problems, settings, journal, progress: told.hear)
      #expect(result == whole, "after \(readings) layers")
      #expect(told.found == readings && told.found + told.begun == undisturbed.kept)
      #expect(journal.kept == undisturbed.kept, "after \(readings) layers")
      readings += 1
    }
    #expect(readings > undisturbed.kept)
  }

  @Test("one layer at a time gets on, however short the processes live", arguments: structures)
  func shortLives(structure: Structure) throws {
    let settings = try settings(structure)
    let problems = try problems()
    let (journal, whole) = (MemoryJournal(), try finish(problems, settings, nil))
    var result: Result?
    var lives = 0
    while result == nil {
      result = try? finish(problems, settings, readings: 1, journal)
      lives += 1
    }
    #expect(result == whole)
    #expect(lives == journal.kept)
  }

  @Test("records that are lost or damaged are computed again", arguments: structures)
  func losses(structure: Structure) throws {
    let settings = try settings(structure)
    let problems = try problems()
    let whole = try finish(problems, settings, nil)
    let journal = MemoryJournal()
    _ = try finish(problems, settings, journal)
    for name in journal.names {
      var record = try #require(journal.record(name))
      journal.lose { $0 == name }
      #expect(try finish(problems, settings, journal) == whole, "\(name) lost")
      record.floats["weights"]?.removeLast()
      record.doubles = record.doubles.mapValues { $0.dropLast() }
      journal.keep(record, as: name)
      #expect(try finish(problems, settings, journal) == whole, "\(name) damaged")
    }
  }

  @Test("only the records of two passes and choices are there at a time")
  func room() throws {
    let journal = MemoryJournal()
    _ = try finish(try problems(), try settings(.element), journal)
    let stages = Set(journal.names.map(\.stage))
    let passes = stages.count { if case .pass = $0 { true } else { false } }
    let choices = stages.count { if case .choice = $0 { true } else { false } }
    #expect(passes <= 2 && choices <= 2)
    #expect(stages.contains(.outcome))
  }

  @Test("paths of units are followed once")
  func units() throws {
    let sample = try UnitSample([5, 6])
    let settings = try PruningSettings(structure: .units([.neurons, .heads]), target: 0.4)
    let goal = sample.removing(0.4)
    func choose(readings: Int, _ journal: MemoryJournal?) throws -> PruningPlan {
      var run = try UnitRun(
        store: MortalStore(sample.problems, readings: readings),
        settings: settings,
        model: sample.model,
        goal: goal,
        journal: journal
      )
      return try run.choose()
    }
    let whole = try choose(readings: .max, nil)
    let journal = MemoryJournal()
    var plan: PruningPlan?
    var lives = 0
    while plan == nil {
      plan = try? choose(readings: 1, journal)
      lives += 1
    }
    #expect(plan == whole)
    #expect(lives == journal.kept && lives > 1)
    #expect(try choose(readings: 0, journal) == whole)
  }
}
