import ArgumentParser
import Export
import Foundation
import LLMSurgeon
import Pruning

/// The command `surgeon prune`.
struct PruneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Removes weights, repairs the rest, and writes the pruned checkpoint.",
    discussion: """
      From statistics that 'surgeon calibrate' left, or straight from a text. With several shots \
      the model is calibrated anew after each; an interrupted run continues when the same command \
      is given again.
      """
  )

  @Argument(help: "The model.")
  var model: String

  @Option(help: "A statistics directory of this model.", completion: .directory)
  var statistics: String?

  @OptionGroup(title: "Calibration tokens (without --statistics)")
  var input: InputOptions

  @OptionGroup(title: "Calibration windows")
  var windows: WindowOptions

  @Option(
    help: "Labels of the text, or drawn from the model: empirical (unless given) or sampled."
  )
  var labels: CalibrationLabels?

  @Option(help: "In what a calibration computes products with weights: f32 or bf16.")
  var compute: ComputePrecision = .float32

  @OptionGroup(title: "Memory")
  var memory: MemoryOptions

  @OptionGroup(title: "What to remove")
  var removal: RemovalOptions

  @OptionGroup(title: "Shots (with --shots above 1)")
  var shots: ShotOptions

  @OptionGroup(title: "Solver (defaults come from measurements, see docs/results.md)")
  var solver: SolverOptions

  @Option(
    help: "The shapes to write: uniform, per-layer, masked, or packed; see 'surgeon help export'."
  )
  var profile: Profile?

  @Option(
    name: .shortAndLong,
    help: "The checkpoint directory to write.",
    completion: .directory
  )
  var output: String?

  @Option(
    help: ArgumentHelp(
      """
      Tell what each of these targets would leave, such as 0.1,0.2,0.3; with --output DIR also \
      write the checkpoints DIR/0.1, DIR/0.2, ….
      """,
      valueName: "targets"
    )
  )
  var sweep: SweepTargets?

  @Flag(help: "Replace an existing checkpoint directory.")
  var overwrite = false

  @Flag(help: "Print the report as JSON instead of a table.")
  var json = false

  @Flag(help: "Share the layers among the processes that mpirun started.")
  var mpi = false

  @OptionGroup(title: "Run")
  var session: RunOptions

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
    let needsData = removal.method.needsData
    guard statistics == nil || input.input == nil else {
      throw ValidationError("give --statistics, or a text or token file, not both")
    }
    guard input.input != nil || memory.scratchPrecision == .float32 && compute == .float32 else {
      throw ValidationError(
        "--scratch-precision and --compute speak of a calibration: give --text or --tokens with them"
      )
    }
    guard !needsData || statistics != nil || input.input != nil else {
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
    guard removal.shots > 1 || shots.schedule == ShotSchedule() else {
      throw ValidationError(
        "--shot-ramp, --shot-data, --correct-… and --held-out-… speak of several shots: "
          + "give --shots above 1"
      )
    }
    if removal.method.isLayerLocal, let name = solver.firstBeyondActivations {
      throw ValidationError("\(name) is not for --method \(removal.method.rawValue)")
    }
    guard solver.repair != .sequential || removal.method == .surgeon else {
      throw ValidationError(
        "--repair sequential is for --method surgeon: \(removal.method.rawValue) repairs nothing"
      )
    }
    try solver.check(structure: removal.structure, method: removal.method)
    guard statistics == nil || removal.shots == 1 else {
      throw ValidationError(
        "--shots above 1 calibrates between shots: give --text or --tokens, not --statistics"
      )
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

  func run() throws {
    if mpi { return try runTogether() }
    try Session.run(session) { progress in
      if let structure = removal.depthStructure {
        let report = try pruneDepth(depthOptions(structure), progress: progress)
        return print(json ? report.json : report.text)
      }
      if let sweep {
        let curve = try tell(sweep.shares, progress)
        print(
          json
            ? curve.json : curve.text(columns: Terminal.columns, isTerminal: Terminal.isTerminal)
        )
        return
      }
      try show(try prune(try options(), progress: progress))
    }
  }

  private func runTogether() throws {
    try Session.run(together: session) { ranks, progress in
      let report = try prune(try options(), together: ranks, progress: progress)
      if let report { try show(report) }
    }
  }

  private func show(_ report: PruneReport) throws {
    print(
      json
        ? report.json
        : try report.text(columns: Terminal.columns, isTerminal: Terminal.isTerminal)
    )
  }

  /// The curve over targets; with an output, from the checkpoints that are written there.
  private func tell(_ shares: [Double], _ progress: ProgressPrinter) throws -> SweepCurve {
    let options = try options()
    return output == nil
      ? try LLMSurgeon.sweep(options, targets: shares, progress: progress)
      : try pruneEach(options, targets: shares, progress: progress)
  }

  private func options() throws -> PruneOptions {
    PruneOptions(
      model: model,
      data: data,
      removal: removal.choice,
      solver: solver.choice,
      shots: removal.shots,
      profile: profile,
      schedule: shots.schedule,
      memory: memory.choice,
      compute: compute,
      timing: try removal.sizes.timingTable.map { try TimingTable(contentsOf: URL(filePath: $0)) },
      output: URL(filePath: output ?? ""),
      overwrite: overwrite
    )
  }

  private var data: PruneData {
    if let statistics { return .statistics(URL(filePath: statistics)) }
    guard let input = input.input else { return .none }
    return .calibrate(input, windows.choice, labels ?? .empirical)
  }
}

/// Shares of the prunable weights, rising.
struct SweepTargets: ExpressibleByArgument {
  let shares: [Double]

  /// Reads numbers above 0 and below 1, rising, with commas between them.
  init?(argument: String) {
    let words = argument.split(separator: ",", omittingEmptySubsequences: false)
    shares = words.compactMap { Double($0) }.filter { $0 > 0 && $0 < 1 }
    guard shares.count == words.count, zip(shares, shares.dropFirst()).allSatisfy(<) else {
      return nil
    }
  }
}
