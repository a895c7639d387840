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
