import Curvature
import ExactJSON
import Export
import Foundation
import Pruning
import Report
import Transformer

extension PruneOptions {
  /// The solver's settings, defaults filled in.
  ///
  /// - Parameter share: The share of the whole target, 0 to 1, that this shot reaches; nil for all
  ///   of it.
  /// - Returns: The settings of the shot.
  /// - Throws: `PruningError` naming the first setting that is out of range.
  func settings(target share: Double?) throws -> PruningSettings {
    let whole = try PruningSettings(
      structure: removal.structure,
      method: removal.method,
      target: removal.size == nil ? removal.target : Self.shareUnderSize,
      shots: shots
    )
    var settings = whole
    if let share, share < 1 {
      settings = try PruningSettings(
        structure: removal.structure,
        method: removal.method,
        target: whole.target * share,
        shots: shots
      )
    }
    if let allocation = removal.allocation { settings.allocation = allocation }
    settings.constraints = removal.constraints
    if let damping = solver.dampingActivations { settings.damping.activations = damping }
    // The rest is about the curvature of the loss, which these methods do not look at.
    if settings.method.isLayerLocal {
      try settings.validate()
      return settings
    }
    if let steps = solver.steps { settings.steps = steps }
    if let damping = solver.dampingGradients { settings.damping.gradients = damping }
    if let steps = solver.repairSteps { settings.finalRepair.iterations = steps }
    if let exchanges = solver.exchanges { settings.exchanges = exchanges }
    try settings.validate()
    return settings
  }

  /// What stands in the settings where a size is the target: the solver then goes by the size alone.
  private static let shareUnderSize = 0.5

  /// Everything that decides what a run computes, for telling one run from another.
  ///
  /// - Parameters:
  ///   - settings: The solver's settings.
  ///   - input: What it looks at.
  ///   - heldOut: The windows of the perplexity after each shot.
  ///   - fingerprint: The model's.
  /// - Returns: The same for the same run alone.
  func identity(
    _ settings: PruningSettings,
    input: PruneInput,
    heldOut: TokenWindows?,
    fingerprint: String
  ) -> JSONValue {
    [
      "program": JSONValue("surgeon \(Program.version)"), "model": JSONValue(fingerprint),
      "data": input.identity, "activations": JSONValue(memory.precision.rawValue),
      "compute": JSONValue(compute.rawValue),
      "structure": JSONValue("\(settings.structure)"),
      "method": JSONValue(settings.method.rawValue),
      "allocation": JSONValue(settings.allocation.rawValue), "target": JSONValue(settings.target),
      "shots": JSONValue(shots), "ramp": JSONValue(schedule.ramp.rawValue),
      "shotData": JSONValue(schedule.data.rawValue),
      "heldOut": heldOut.map { JSONValue($0.fingerprint) } ?? .null,
      "correction": schedule.correction?.identity ?? .null,
      "steps": JSONValue(settings.steps),
      "exchanges": JSONValue(settings.exchanges),
      "dampingActivations": JSONValue(settings.damping.activations),
      "dampingGradients": JSONValue(settings.damping.gradients),
      "repairSteps": JSONValue(settings.finalRepair.iterations),
      "repair": JSONValue((solver.repair ?? .dense).rawValue),
      "headUnit": JSONValue(removal.headUnit.rawValue),
      "constraints": settings.constraints.identity,
      // What a file of that size holds depends on how it is written.
      "size": removal.size.map {
        [
          JSONValue($0.name), JSONValue($0.most(of: 1)), JSONValue(writtenProfile.rawValue),
        ]
      } ?? .null,
      "timing": timing.map { JSONValue($0.fingerprint) } ?? .null,
    ]
  }
}

extension UnitConstraints {
  fileprivate var identity: JSONValue {
    [
      "neuronMultiple": JSONValue(neuronMultiple), "headMultiple": JSONValue(headMultiple),
      "keepFirst": JSONValue(keepFirst), "keepLast": JSONValue(keepLast),
      "largestShare": JSONValue(largestShare),
    ]
  }
}

extension PruningReport {
  /// The report of a pruning that has not removed anything yet.
  init(
    _ opened: OpenedModel,
    _ options: PruneOptions,
    _ settings: PruningSettings,
    input: PruneInput,
    fingerprint: String
  ) throws {
    let decoder = opened.model.decoder
    guard let method = PruningMethod(rawValue: settings.method.rawValue),
      let allocation = AllocationMethod(rawValue: settings.allocation.rawValue)
    else { throw JobError.badSetting("the report knows no method \(settings.method)") }
    self.init(
      programVersion: Program.version,
      model: ModelRecord(
        name: opened.recordedName,
        family: opened.configuration.modelType,
        blocks: decoder.blocks,
        hiddenSize: decoder.hiddenSize,
        parameters: opened.parameters,
        elementType: opened.elementType,
        fingerprint: fingerprint
      ),
      settings: SettingsRecord(
        method: method,
        structure: "\(settings.structure)",
        allocation: allocation,
        targetShare: settings.target,
        shots: options.shots,
        steps: settings.steps
      ),
      calibration: input.calibrationRecord,
      layers: opened.model.linears.map { linear in
        var record = LayerRecord(
          name: linear.name,
          block: linear.block,
          kind: linear.kind,
          outputs: linear.outputs,
          inputs: linear.inputs
        )
        record.hasBias = linear.hasBias
        return record
      }
    )
    if options.solver.repair == .sequential {
      notes.append(
        "repair: sequential (each layer was repaired for what the repaired layers before hand on; "
          + "its losses are predicted for its inputs in the model before)"
      )
    }
    if let size = options.removal.size { notes.append("target: \(size)") }
    guard options.shots > 1 else { return }
    if let correction = options.schedule.correction {
      notes.append(
        "after each shot but the last, \(correction.steps) steps of training by mask-lora"
      )
    }
    if options.schedule.ramp == .cubic { notes.append("the target of the shots rises cubically") }
    if options.schedule.data == .fresh {
      notes.append("each shot was calibrated on windows of its own")
    }
  }
}

extension PruneInput {
  /// What the report says of the calibration.
  fileprivate var calibrationRecord: CalibrationRecord? {
    guard let windows, let labels, let seed else { return nil }
    return CalibrationRecord(
      sequences: windows.count,
      length: windows.length,
      tokens: windows.tokens.count,
      seed: Int(clamping: seed),
      labels: labels == .sampled ? .sampled : .empirical,
      fingerprint: windows.fingerprint
    )
  }
}
