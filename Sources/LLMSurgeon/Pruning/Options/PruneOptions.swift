public import Export
public import Foundation
public import Pruning

/// What a pruning is based on.
public enum PruneData: Sendable {
  /// Statistics that ``calibrate(_:progress:)`` left.
  case statistics(URL)
  /// Tokens to calibrate on, before the first shot and between shots.
  case calibrate(TokenInput, WindowChoice, CalibrationLabels)
  /// Nothing: magnitude needs no data.
  case none
}

/// What is removed, and how much of it.
public struct RemovalChoice: Sendable, Equatable {
  /// The shape of what is removed.
  public var structure: Structure
  /// The share of the prunable weights that is removed; nil for all blocks of N:M, and where a size
  /// is the target.
  public var target: Double?
  /// The size or time that is left at most, instead of a share; for neurons and heads.
  public var size: SizeTarget?
  /// How costs are computed, and whether the rest is repaired.
  public var method: Method
  /// Whether layers compete or each loses the same share; nil for the default of the structure and method.
  public var allocation: Allocation?
  /// Which heads are removed together.
  public var headUnit: HeadUnit
  /// What the widths have to obey, where neurons or heads are removed.
  public var constraints: UnitConstraints

  /// A removal.
  public init(
    structure: Structure,
    target: Double?,
    size: SizeTarget? = nil,
    method: Method = .surgeon,
    allocation: Allocation? = nil,
    headUnit: HeadUnit = .group,
    constraints: UnitConstraints = UnitConstraints()
  ) {
    self.structure = structure
    self.target = target
    self.size = size
    self.method = method
    self.allocation = allocation
    self.headUnit = headUnit
    self.constraints = constraints
  }
}

/// For which inputs the kept weights of a layer are repaired.
public enum RepairInputs: String, CaseIterable, Sendable {
  /// Those in the model as it came: all layers at once.
  case dense
  /// Those that the repaired layers before it hand on, for the outputs that the layer had: block
  /// after block, on the windows of the calibration.
  case sequential
}

/// Departures from the solver's defaults; nil leaves a default.
public struct SolverChoice: Sendable, Equatable {
  /// Steps within one calibration.
  public var steps: Int?
  /// Damping of `A`, a share of its mean diagonal entry.
  public var dampingActivations: Double?
  /// Damping of `G`, a share of its mean diagonal entry.
  public var dampingGradients: Double?
  /// The most conjugate gradient steps of the last repair.
  public var repairSteps: Int?
  /// The most exchanges of kept for removed weights after the last step; for elements and N:M.
  public var exchanges: Int?
  /// For which inputs the kept weights are repaired.
  public var repair: RepairInputs?

  /// Departures; none unless stated.
  public init(
    steps: Int? = nil,
    dampingActivations: Double? = nil,
    dampingGradients: Double? = nil,
    repairSteps: Int? = nil,
    exchanges: Int? = nil,
    repair: RepairInputs? = nil
  ) {
    self.steps = steps
    self.dampingActivations = dampingActivations
    self.dampingGradients = dampingGradients
    self.repairSteps = repairSteps
    self.exchanges = exchanges
    self.repair = repair
  }
}

/// What ``prune(_:progress:)`` is asked to do.
public struct PruneOptions: Sendable {
  /// A directory, or `org/name` in the local Hugging Face cache.
  public var model: String
  /// What the pruning is based on.
  public var data: PruneData
  /// What is removed.
  public var removal: RemovalChoice
  /// How.
  public var solver: SolverChoice
  /// How often the model is calibrated and a part of the target removed.
  public var shots: Int
  /// The shapes to write; nil for those that suit what is removed.
  public var profile: Profile?
  /// What differs between the shots.
  public var schedule: ShotSchedule
  /// What a calibration may keep in memory.
  public var memory: CalibrationMemory
  /// In what a calibration computes products with weights.
  public var compute: ComputePrecision
  /// The times from which a speedup is predicted, where neurons or heads are removed.
  public var timing: TimingTable?
  /// The checkpoint directory to write.
  public var output: URL
  /// Whether an existing checkpoint directory is replaced.
  public var overwrite: Bool

  /// A pruning.
  public init(
    model: String,
    data: PruneData,
    removal: RemovalChoice,
    solver: SolverChoice = SolverChoice(),
    shots: Int = 1,
    profile: Profile? = nil,
    schedule: ShotSchedule = ShotSchedule(),
    memory: CalibrationMemory = CalibrationMemory(),
    compute: ComputePrecision = .float32,
    timing: TimingTable? = nil,
    output: URL,
    overwrite: Bool = false
  ) {
    self.model = model
    self.data = data
    self.removal = removal
    self.solver = solver
    self.shots = shots
    self.profile = profile
    self.schedule = schedule
    self.memory = memory
    self.compute = compute
    self.timing = timing
    self.output = output
    self.overwrite = overwrite
  }
}
