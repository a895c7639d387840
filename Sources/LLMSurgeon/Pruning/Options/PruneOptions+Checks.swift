import Export
import LinearAlgebra
import Pruning
import Transformer

extension PruneOptions {
  /// Refuses what does not fit in memory.
  ///
  /// - Throws: ``JobError/badSetting(_:)`` with what is needed and what would fit.
  func checkMemory(
    of opened: OpenedModel,
    _ settings: PruningSettings,
    _ input: PruneInput
  ) throws(JobError) {
    // Methods that look at one layer at a time are not predicted.
    guard !settings.method.isLayerLocal else { return }
    let (tokens, length) = (input.windows?.tokens.count ?? 0, input.windows?.length ?? 0)
    func footprint(_ method: Method, threads: Int) -> PruningFootprint {
      PruningFootprint(
        of: opened.model,
        settings: settings.priced(by: method),
        windows: (tokens, length, solver.repair == .sequential),
        threads: threads
      )
    }
    let threads = Parallelism.threads
    var remedies: [(String, Double)] = []
    if threads > 1 {
      remedies.append(("--threads 1", footprint(settings.method, threads: 1).memory))
    }
    if settings.method.repairs {
      remedies.append(
        ("--method kobd, which repairs nothing", footprint(.kobd, threads: threads).memory)
      )
    }
    try footprint(settings.method, threads: threads)
      .check(limit: memory.bytes, names: opened.model.linears.map(\.name), remedies: remedies)
  }

  /// The profile of the checkpoint.
  var writtenProfile: Profile {
    profile ?? .standard(for: removal.structure, removal.allocation)
  }

  /// Refuses a repair for other inputs where nothing is repaired, or where the method has its own way.
  func checkRepair() throws {
    guard solver.repair == .sequential, !removal.method.repairs else { return }
    let name = removal.method.rawValue
    throw JobError.badSetting(
      removal.method.isLayerLocal
        ? "method \(name) goes from block to block by itself: leave out the sequential repair"
        : "method \(name) repairs nothing that a sequential repair could improve: use surgeon"
    )
  }

  /// Refuses a precision that nothing is computed in, or cannot be here.
  ///
  /// - Throws: ``JobError/badSetting(_:)``.
  func checkCompute() throws(JobError) {
    guard compute != .float32 else { return }
    guard !removal.method.isLayerLocal else {
      throw .badSetting(
        "method \(removal.method.rawValue) measures no curvature: leave out --compute"
      )
    }
    guard case .calibrate = data else {
      throw .badSetting("--compute speaks of a calibration: give --text or --tokens with it")
    }
    try compute.check()
  }

  /// Refuses what ranks cannot share.
  ///
  /// - Throws: ``JobError/badSetting(_:)``.
  func checkSharing() throws(JobError) {
    let why =
      removal.method.isLayerLocal
      ? "method \(removal.method.rawValue) goes from block to block"
      : solver.repair == .sequential ? "a sequential repair goes from layer to layer" : nil
    guard let why else { return }
    throw JobError.badSetting("\(why), which ranks cannot share: prune with one process")
  }
}
