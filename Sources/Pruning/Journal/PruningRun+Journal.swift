import LinearAlgebra
import MessagePassing

extension PruningRun {
  /// Computes something for each layer, or takes it from the journal.
  ///
  /// - Parameters:
  ///   - stage: What is done.
  ///   - isForFirst: Whether the first of several ranks alone needs the results.
  ///   - progress: Told of each result that was there.
  ///   - compute: Called with a layer, from several threads at once.
  ///   - receive: Called with each layer and its result, in order.
  /// - Throws: What the functions and the journal throw.
  func forEachLayer<Result: Recorded>(
    _ stage: RecordName.Stage,
    isForFirst: Bool = false,
    progress: @escaping ProgressHandler,
    _ compute: @Sendable (Int) throws -> Result,
    receive: (Int, Result) throws -> Void
  ) throws {
    let work = descriptions.indices.map {
      RecordedWork(name: RecordName(stage, layer: $0), layer: $0)
    }
    try store.forEachRecord(work, journal: journal, isForFirst: isForFirst, progress: progress) {
      try compute($0)
    } receive: {
      try receive($0, $1)
    }
  }

  /// Keeps what is chosen after a pass; the passes before it are not needed any more.
  func keep(_ plan: PruningPlan, after pass: Int) throws {
    // All ranks have read the passes before this one, and all have chosen the same.
    guard let journal, journal.ranks?.isFirst ?? true else { return }
    for (index, layer) in plan.layers.enumerated() {
      try journal.keep(layer.record, as: RecordName(.choice(pass), layer: index))
    }
    journal.remove(.pass(pass - 1))
    // An exchange that does not pay goes back to the choice before.
    journal.remove(.choice(pass - 2))
  }

  /// Goes to where an earlier process came, or to the beginning.
  ///
  /// - Parameters:
  ///   - plan: What was removed when the run began; becomes what was chosen after the last pass of
  ///     that process.
  ///   - steps: The number of passes before the exchanges.
  /// - Returns: What need not be done again.
  /// - Throws: ``PruningError``, or `FileError` if there is no room for weights.
  mutating func resume(_ plan: inout PruningPlan, steps: Int) throws -> RunStart {
    let start = try found(&plan, steps: steps)
    let passes = try journal?.ranks?.allGather(Int64(start.passes).littleEndianBytes) ?? []
    guard passes.allSatisfy({ $0 == passes[0] }) else { throw PruningError.ranksDiffer }
    return start
  }

  /// What this process finds in the journal.
  private mutating func found(_ plan: inout PruningPlan, steps: Int) throws -> RunStart {
    for pass in (0..<steps + settings.exchanges).reversed() {
      guard let layers = choice(after: pass) else { continue }
      var start = RunStart(passes: pass + 1)
      if settings.structure.isExchangeable {
        guard let weights = try weights(after: pass) else { return RunStart() }
        if pass >= steps {
          guard let best = best(after: pass) else { return RunStart() }
          start.best = best
        }
        current = weights
      } else {
        structures = try StructureChoice(layers, consequences: consequences)
      }
      plan.layers = layers
      return start
    }
    return RunStart()
  }

  /// What was chosen after a pass, of all layers; nil if that was not kept.
  private func choice(after pass: Int) -> [LayerPlan]? {
    everyRecord(.choice(pass)) { LayerPlan($0, of: $1) }
  }

  /// The weights after a pass, of all layers; nil if they were not kept.
  private func weights(after pass: Int) throws -> LayerNumbers<Float>? {
    var weights = try roomForWeights()
    for (index, description) in descriptions.enumerated() {
      let record = journal?.record(RecordName(.pass(pass), layer: index))
      guard let found = record?.weights(of: description) else { return nil }
      try weights.keep(found.storage, layer: index)
    }
    return weights
  }

  /// The choice that a round of exchanges repaired, and its loss; nil if they were not kept.
  private func best(after pass: Int) -> (plan: PruningPlan, loss: Double)? {
    guard
      let layers = choice(after: pass - 1),
      let losses = everyRecord(.pass(pass), { record, _ in record.doubles["loss"]?.first })
    else { return nil }
    return (PruningPlan(settings: settings, layers: layers), losses.reduce(0, +))
  }

  /// What `read` takes from the records of all layers; nil if one is missing.
  private func everyRecord<Value>(
    _ stage: RecordName.Stage,
    _ read: (RunRecord, LayerDescription) -> Value?
  ) -> [Value]? {
    guard let journal else { return nil }
    var values: [Value] = []
    for (index, description) in descriptions.enumerated() {
      let record = journal.record(RecordName(stage, layer: index))
      guard let value = record.flatMap({ read($0, description) }) else { return nil }
      values.append(value)
    }
    return values
  }
}

/// How far an earlier process came with a choice.
struct RunStart: Sendable {
  /// The passes, steps and rounds of exchanges, that need not be made again.
  var passes = 0
  /// The best choice of the rounds made and its loss, if any were.
  var best: (plan: PruningPlan, loss: Double)?
}
