import ArgumentParser
import LLMSurgeon
import Pruning

extension PruneCommand {
  func validate() throws {
    if let structure = removal.depthStructure { return try validateDepth(structure) }
    try validateSweep()
    if sweep == nil, removal.target == nil, removal.sizes.choice == nil,
      removal.structure.impliedShare == nil
    {
      throw ValidationError(
        "give --target, the share of weights to remove, such as 0.5, or a size (--target-…)"
      )
    }
    try validateSharing()
    try validateMethod()
    try validateData()
    try validateShots()
  }

  /// Checks what is written, or that nothing is.
  private func validateSweep() throws {
    guard let sweep else {
      guard let output else { throw ValidationError("give --output, or --sweep") }
      return try checkOutputName(output)
    }
    if let output { try checkOutputName(output) }
    guard output != nil || !overwrite else {
      throw ValidationError("--overwrite needs --output, where the checkpoints go")
    }
    guard removal.target == nil, removal.sizes.choice == nil, removal.shots == 1 else {
      throw ValidationError("--sweep names the targets: leave out --target… and --shots")
    }
    guard solver.repair != .sequential else {
      throw ValidationError("--sweep predicts, and repairs nothing for good: leave out --repair")
    }
    guard !removal.method.isLayerLocal else {
      throw ValidationError("--sweep is not for --method \(removal.method.rawValue)")
    }
    if let most = removal.structure.impliedShare,
      let target = sweep.shares.first(where: { $0 > most })
    {
      throw ValidationError("\(removal.structure) removes at most \(most), not \(target)")
    }
  }

  /// Checks that ranks can share the work.
  private func validateSharing() throws {
    guard mpi else { return }
    let option: String? =
      sweep != nil
      ? "--sweep"
      : removal.method.isLayerLocal
        ? "--method \(removal.method.rawValue)"
        : solver.repair == .sequential ? "--repair sequential" : nil
    guard let option else { return }
    throw ValidationError("\(option) goes one thing after the other, which --mpi cannot share")
  }

  /// Checks that the method looks at what is given for it.
  private func validateMethod() throws {
    if removal.method.isLayerLocal, let name = solver.firstBeyondActivations ?? firstOfCurvature {
      throw ValidationError(
        "\(name) is not for --method \(removal.method.rawValue), which measures no curvature: "
          + "leave it out"
      )
    }
    guard solver.repair != .sequential || removal.method == .surgeon else {
      throw ValidationError(
        "--repair sequential is for --method surgeon: \(removal.method.rawValue) repairs nothing"
      )
    }
    try solver.check(structure: removal.structure, method: removal.method)
  }

  /// The first option given that is about a measurement of the curvature alone.
  private var firstOfCurvature: String? {
    OptionName.first(given: [
      ("--labels", labels != nil), ("--memory", memory.memory != nil),
      ("--scratch-precision", memory.scratchPrecision != nil),
    ])
  }

  /// Checks that there are data where they are needed, and what is said of them.
  private func validateData() throws {
    guard statistics == nil || input.input == nil else {
      throw ValidationError("give --statistics, or a text or token file, not both")
    }
    guard input.input != nil || memory.scratchPrecision == nil && compute == .float32 else {
      throw ValidationError(
        "--scratch-precision and --compute speak of a calibration: give --text or --tokens with them"
      )
    }
    guard !removal.method.needsData || statistics != nil || input.input != nil else {
      throw ValidationError("give --statistics DIR, --text FILE … or --tokens FILE")
    }
    guard input.input != nil || !(windows.isGiven || labels != nil) else {
      throw ValidationError(
        """
        --samples, --length, --seed and --labels are of a calibration: give them with --text or \
        --tokens\(statistics == nil ? "" : "; the statistics have their own")
        """
      )
    }
  }

  /// Checks that there are several shots where something is said of them.
  private func validateShots() throws {
    if removal.shots == 1, let name = shots.firstGiven {
      throw ValidationError("\(name) speaks of several shots: give --shots above 1")
    }
    guard statistics == nil || removal.shots == 1 else {
      throw ValidationError(
        "--shots above 1 calibrates between shots: give --text or --tokens, not --statistics"
      )
    }
  }
}
