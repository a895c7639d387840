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

  @Option(help: "Labels of the text, or drawn from the model: empirical or sampled.")
  var labels: CalibrationLabels = .empirical

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
      "Write nothing, but tell what each of these targets would leave, such as 0.1,0.2,0.3.",
      valueName: "targets"
    )
  )
  var sweep: SweepTargets?

  @Flag(help: "Replace an existing checkpoint directory.")
  var overwrite = false

  @Flag(help: "Print the report as JSON instead of a table.")
  var json = false

  @OptionGroup(title: "Run")
  var session: RunOptions

  func validate() throws {
    try validateSweep()
    if sweep == nil, removal.target == nil, removal.sizes.choice == nil,
      removal.structure.impliedShare == nil
    {
      throw ValidationError(
        "give --target, the share of weights to remove, such as 0.5, or a size (--target-…)"
      )
    }
    let needsData = removal.method.needsData
    guard statistics == nil || input.input == nil else {
      throw ValidationError("give --statistics, or a text or token file, not both")
    }
    guard !needsData || statistics != nil || input.input != nil else {
      throw ValidationError("give --statistics DIR, --text FILE … or --tokens FILE")
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
    guard statistics == nil || removal.shots == 1 else {
      throw ValidationError(
        "--shots above 1 calibrates between shots: give --text or --tokens, not --statistics"
      )
    }
  }

  /// Checks what is written, or that nothing is.
  private func validateSweep() throws {
    guard let sweep else {
      guard let output else { throw ValidationError("give --output, or --sweep") }
      return try checkOutputName(output)
    }
    guard output == nil, !overwrite else {
      throw ValidationError("--sweep writes no checkpoint: leave out --output and --overwrite")
    }
    guard removal.target == nil, removal.sizes.choice == nil, removal.shots == 1 else {
      throw ValidationError("--sweep names the targets: leave out --target… and --shots")
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
    try Session.run(session) { progress in
      if let sweep {
        let curve = try LLMSurgeon.sweep(options, targets: sweep.shares, progress: progress)
        print(
          json
            ? curve.json : curve.text(columns: Terminal.columns, isTerminal: Terminal.isTerminal)
        )
        return
      }
      let report = try prune(options, progress: progress)
      print(
        json
          ? report.json
          : try report.text(columns: Terminal.columns, isTerminal: Terminal.isTerminal)
      )
    }
  }

  private var options: PruneOptions {
    PruneOptions(
      model: model,
      data: data,
      removal: removal.choice,
      solver: solver.choice,
      shots: removal.shots,
      profile: profile,
      schedule: shots.schedule,
      output: URL(filePath: output ?? ""),
      overwrite: overwrite
    )
  }

  private var data: PruneData {
    if let statistics { return .statistics(URL(filePath: statistics)) }
    guard let input = input.input else { return .none }
    return .calibrate(input, windows.choice, labels)
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

/// How the solver works; what is not given comes from the defaults for the structure.
struct SolverOptions: ParsableArguments {
  /// The departures from the defaults.
  var choice: SolverChoice {
    SolverChoice(
      steps: steps,
      dampingActivations: dampingActivations,
      dampingGradients: dampingGradients,
      repairSteps: repairSteps,
      exchanges: exchanges
    )
  }

  /// The first option given that means nothing to a method that looks at one layer at a time.
  var firstBeyondActivations: String? {
    let options = [
      ("--steps", steps != nil), ("--damping-gradients", dampingGradients != nil),
      ("--repair-steps", repairSteps != nil), ("--exchanges", exchanges != nil),
    ]
    return options.first { $0.1 }?.0
  }

  @Option(help: "Choose in this many steps within one calibration.")
  var steps: Int?

  @Option(help: "Damping of A, a share of its mean diagonal entry.")
  var dampingActivations: Double?

  @Option(help: "Damping of G, a share of its mean diagonal entry.")
  var dampingGradients: Double?

  @Option(help: "The most conjugate gradient steps of the last repair (element and N:M).")
  var repairSteps: Int?

  @Option(help: "How often kept elements are exchanged for removed ones after the last step.")
  var exchanges: Int?

  func validate() throws {
    if let steps, !(1...1000 ~= steps) {
      throw ValidationError("--steps must be between 1 and 1000")
    }
    if let repairSteps, !(1...10_000 ~= repairSteps) {
      throw ValidationError("--repair-steps must be between 1 and 10000")
    }
    if let exchanges, !(0...100 ~= exchanges) {
      throw ValidationError("--exchanges must be between 0 and 100")
    }
    for (name, value) in [
      ("--damping-activations", dampingActivations), ("--damping-gradients", dampingGradients),
    ] {
      if let value, !(value >= 0 && value.isFinite) {
        throw ValidationError("\(name) must be a number that is not negative")
      }
    }
  }
}
