package import MessagePassing

/// Where a run keeps what it has computed of each layer, so that the same run can go on there after
/// its process was ended.
///
/// A run is a function of its settings, so what is kept is what would be computed again. Who gives a
/// journal to a run sees to it that it is of a run with the same settings at the same weights.
package protocol RunJournal: Sendable {
  /// The processes that share the work and meet in this journal, each making the same calls of the same
  /// run; nil for one process.
  var ranks: (any RankGroup)? { get }

  /// What was kept under a name; called from several threads at once.
  ///
  /// - Parameter name: The name.
  /// - Returns: The record, or nil if none was kept or what is there cannot be read.
  func record(_ name: RecordName) -> RunRecord?

  /// Keeps a record; called from several threads at once.
  ///
  /// - Parameters:
  ///   - record: What is computed.
  ///   - name: What it is found by, until it is removed.
  /// - Throws: What writing throws.
  func keep(_ record: RunRecord, as name: RecordName) throws

  /// Removes the records of a stage, which are not needed any more.
  func remove(_ stage: RecordName.Stage)
}

/// What a record is found by.
package struct RecordName: Hashable, Sendable {
  /// What was done to the layer.
  package enum Stage: Hashable, Sendable {
    /// Repaired and priced, or exchanged; passes count from zero.
    case pass(Int)
    /// Chosen what to remove of it, after the pass of this number.
    case choice(Int)
    /// Followed, as the reader of a part, the order in which units go.
    case path
    /// Repaired for good.
    case outcome
  }

  /// What was done to the layer.
  package let stage: Stage
  /// The layer's place in the store; for paths that of the part in the model.
  package let layer: Int

  /// Takes both.
  package init(_ stage: Stage, layer: Int) {
    self.stage = stage
    self.layer = layer
  }
}

/// Lists of numbers by name: what is kept of a layer.
package struct RunRecord: Equatable, Sendable {
  /// Single precision: weights and prices.
  package var floats: [String: [Float]] = [:]
  /// Double precision: prices and losses.
  package var doubles: [String: [Double]] = [:]
  /// Bits of masks, indices, and counts.
  package var words: [String: [UInt64]] = [:]

  /// A record of nothing.
  package init() {}
}

/// A result that can be kept in a journal.
package protocol Recorded: Sendable {
  /// All of the result that the layer's description does not say.
  var record: RunRecord { get }

  /// Takes a result from a record; nil if the record is not of such a result or such a layer.
  ///
  /// - Parameters:
  ///   - record: What was kept.
  ///   - layer: The layer that it is about.
  init?(_ record: RunRecord, of layer: LayerDescription)
}

extension RunJournal {
  /// A result that an earlier process kept, or else computes it and keeps it.
  ///
  /// - Parameters:
  ///   - name: What it is found by.
  ///   - layer: The layer that it is about.
  ///   - found: Called if it was kept.
  ///   - compute: Computes it.
  /// - Returns: The result.
  /// - Throws: What computing and writing throw.
  package func result<Result: Recorded>(
    _ name: RecordName,
    of layer: LayerDescription,
    found: () -> Void = {},
    _ compute: () throws -> Result
  ) throws -> Result {
    if let record = record(name), let result = Result(record, of: layer) {
      found()
      return result
    }
    let result = try compute()
    try keep(result.record, as: name)
    return result
  }
}

extension (any RunJournal)? {
  /// A result that an earlier process kept, or else computes it; keeps it if there is a journal.
  func result<Result: Recorded>(
    _ name: RecordName,
    of layer: LayerDescription,
    found: () -> Void = {},
    _ compute: () throws -> Result
  ) throws -> Result {
    guard let journal = self else { return try compute() }
    return try journal.result(name, of: layer, found: found, compute)
  }
}
