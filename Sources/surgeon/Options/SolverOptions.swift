import ArgumentParser
import LLMSurgeon
import Pruning

/// How the solver works; what is not given comes from the defaults for the structure.
struct SolverOptions: ParsableArguments {
  /// The departures from the defaults.
  var choice: SolverChoice {
    SolverChoice(
      steps: steps,
      dampingActivations: dampingActivations,
      dampingGradients: dampingGradients,
      repairSteps: repairSteps,
      exchanges: exchanges,
      repair: repair
    )
  }

  /// The first option given that means nothing to a method that looks at one layer at a time.
  var firstBeyondActivations: String? {
    OptionName.first(given: [
      ("--steps", steps != nil), ("--damping-gradients", dampingGradients != nil),
      ("--repair-steps", repairSteps != nil), ("--exchanges", exchanges != nil),
      ("--repair", repair != nil),
    ])
  }

  /// Refuses options that would change nothing.
  func check(structure: Structure, method: Method) throws {
    let isMasked =
      switch structure {
      case .element, .nm: true
      case .rowsColumns, .rows, .columns, .units: false
      }
    let options = [
      ("--steps", steps != nil, true), ("--repair-steps", repairSteps != nil, isMasked),
      ("--exchanges", exchanges != nil, isMasked),
    ]
    for (name, isGiven, suitsStructure) in options where isGiven {
      guard suitsStructure else {
        throw ValidationError("\(name) is not for --structure \(structure)")
      }
      guard method.repairs else {
        throw ValidationError(
          "\(name) is for --method surgeon: \(method.rawValue) repairs nothing"
        )
      }
    }
    try checkDamping(method)
  }

  /// Refuses a damping of what the method uses undamped, or not at all.
  private func checkDamping(_ method: Method) throws {
    guard dampingActivations == nil || method.dampsActivations else {
      throw ValidationError(
        """
        --damping-activations is for --method surgeon, sparsegpt and alps: \(method.rawValue) adds \
        nothing to A, leave it out
        """
      )
    }
    guard dampingGradients == nil || method.repairs else {
      throw ValidationError(
        """
        --damping-gradients is for --method surgeon: \(method.rawValue) adds nothing to G, leave it \
        out
        """
      )
    }
  }

  @Option(help: "Choose in this many steps within one calibration.")
  var steps: Int?

  @Option(help: "Damping of A, a share of its mean diagonal entry.")
  var dampingActivations: Double?

  @Option(help: "Damping of G, a share of its mean diagonal entry.")
  var dampingGradients: Double?

  @Option(help: "The most conjugate gradient steps of the last repair (element and N:M).")
  var repairSteps: Int?

  @Option(help: "How often removed weights may return for others at the end (element, N:M).")
  var exchanges: Int?

  @Option(
    help: """
      Repair all layers at once, for their inputs in the model as it came (dense), or block after \
      block, for what the repaired layers before hand on, on the calibration windows (sequential).
      """
  )
  var repair: RepairInputs?

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

extension Method {
  /// Whether `A` is damped before anything is computed from it.
  fileprivate var dampsActivations: Bool {
    switch self {
    case .surgeon, .sparsegpt, .alps: true
    case .kobd, .lobd, .magnitude, .activation, .wanda: false
    }
  }
}
