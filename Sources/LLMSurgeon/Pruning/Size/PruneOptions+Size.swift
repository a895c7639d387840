import Checkpoint
import Export
import Pruning
import Report
import Transformer

extension PruneOptions {
  /// How much of a model may be left: the share or the size that is asked for.
  ///
  /// - Parameters:
  ///   - opened: The model as it came, before any shot.
  ///   - units: Its units.
  /// - Returns: The goal after the last shot.
  /// - Throws: ``JobError/badSetting(_:)`` where the checkpoint would not be smaller, or what reading
  ///   the weights throws.
  func widthGoal(of opened: OpenedModel, _ units: UnitModel) throws -> WidthGoal {
    guard let size = removal.size else {
      let share = try settings(target: nil).target
      return WidthGoal(removing: share, of: opened.model.prunableWeights, from: units.widths)
    }
    let profile = writtenProfile
    guard profile != .uniform || removal.allocation != .global else {
      throw JobError.badSetting(
        "a target in \(size.name) with the profile uniform needs the same widths everywhere: "
          + "leave out --allocation global, or give --profile per-layer"
      )
    }
    guard let sizes = writtenSizes(opened) else {
      throw JobError.badSetting(
        profile == .uniform
          ? "the blocks of this model differ, so a target in \(size.name) needs the profile "
            + "per-layer and the global allocation"
          : "the profile \(profile.rawValue) leaves every tensor its shape; a target in "
            + "\(size.name) needs uniform or per-layer"
      )
    }
    let measure = try measure(of: size, opened, sizes, units)
    return WidthGoal(measure, atMost: size.most(of: measure.value(of: units.widths)))
  }

  /// How the blocks of a model are written in the profile, if that leaves out what was removed and
  /// depends on each block alone.
  func writtenSizes(_ opened: OpenedModel) -> WrittenSizes? {
    guard writtenProfile != .uniform || removal.allocation != .global else { return nil }
    return WrittenSizes(writtenProfile, opened.configuration)
  }

  /// The measure of a size of the written checkpoint.
  func measure(
    of size: SizeTarget,
    _ opened: OpenedModel,
    _ sizes: WrittenSizes,
    _ units: UnitModel
  ) throws -> WrittenMeasure {
    let counted = try opened.measure(of: size, timing: timing)
    guard writtenProfile == .uniform else {
      return WrittenMeasure(counted, sizes: sizes, floor: .nothing)
    }
    let left = try units.widths(leftIn: try ModelLayers(plain: opened).layers)
    return WrittenMeasure(counted, sizes: sizes, floor: floor(left))
  }

  /// What equal blocks hold in any case: the largest of each width that is not cut.
  private func floor(_ widths: [BlockWidths]) -> BlockWidths {
    guard case .units(let kinds) = removal.structure else { return .nothing }
    func largest(_ width: (BlockWidths) -> Int) -> Int { widths.map(width).max() ?? 0 }
    let cutsHeads = kinds.contains(.heads)
    return BlockWidths(
      heads: cutsHeads ? 0 : largest(\.heads),
      keyValueHeads: cutsHeads && removal.headUnit == .group ? 0 : largest(\.keyValueHeads),
      neurons: kinds.contains(.neurons) ? 0 : largest(\.neurons)
    )
  }

  /// Finds out before any calibration whether the timing table serves, whether a size can be met,
  /// and whether it is met already.
  ///
  /// - Throws: ``JobError/badSetting(_:)`` or `PruningError` saying why not.
  func checkSize(of opened: OpenedModel, _ settings: PruningSettings) throws {
    try checkTiming(of: opened)
    guard let size = removal.size else { return }
    guard removal.target == nil else {
      throw JobError.badSetting("the target is a share or a size, not both")
    }
    guard removal.structure.isUnits else {
      throw JobError.badSetting(
        "structure \(removal.structure) leaves every tensor its shape; "
          + "a target in \(size.name) is for neurons and heads"
      )
    }
    let units = opened.model.units(removal.headUnit)
    let goal = try widthGoal(of: opened, units)
    let layers = try ModelLayers(plain: opened)
    let run = try UnitRun(store: layers, settings: settings, model: units, goal: goal)
    let present = goal.measure.value(of: run.widths)
    let whole = goal.measure.value(of: units.widths)
    guard present > goal.most else {
      throw JobError.badSetting(
        size.isMet(present, of: whole, most: goal.most) + ": there is nothing to remove"
      )
    }
    do {
      try run.check()
    } catch {
      guard size.isSpeedup, case PruningError.goalOutOfReach(_, _, let nearest) = error else {
        throw error
      }
      throw JobError.badSetting(
        "\(size) is out of reach under the constraints; the most that the timing table predicts "
          + "is \(floorOfSpeedup(whole / nearest))"
      )
    }
  }
}

extension PruneOptions {
  /// Refuses a timing table that says nothing of the result.
  func checkTiming(of opened: OpenedModel) throws {
    guard let timing else { return }
    guard removal.structure.isUnits, writtenSizes(opened) != nil else {
      throw JobError.badSetting(
        "the profile \(writtenProfile.rawValue) of structure \(removal.structure) leaves every "
          + "tensor its shape, so no speedup can be predicted: leave the timing table out"
      )
    }
    try timing.check(opened.model.decoder)
  }

  /// What the timing table says of the written model.
  ///
  /// - Parameters:
  ///   - opened: The model as it came, before any shot.
  ///   - units: Its units.
  ///   - widths: What is left of each block.
  /// - Returns: The prediction; nil without a table.
  /// - Throws: ``JobError`` if the table is not of this model.
  func speed(
    of opened: OpenedModel,
    _ units: UnitModel,
    leaving widths: [BlockWidths]
  ) throws -> SpeedRecord? {
    guard let timing, let sizes = writtenSizes(opened) else { return nil }
    let measure = try measure(of: .speedup(1), opened, sizes, units)
    var record = SpeedRecord(
      tokens: timing.tokens,
      denseSeconds: measure.value(of: units.widths),
      prunedSeconds: measure.value(of: widths)
    )
    if case .speedup(let factor) = removal.size { record.target = factor }
    return record
  }
}

extension SizeTarget {
  /// Whether this is about time.
  fileprivate var isSpeedup: Bool {
    if case .speedup = self { true } else { false }
  }

  /// Says that the model meets the target as it is.
  fileprivate func isMet(_ present: Double, of whole: Double, most: Double) -> String {
    guard isSpeedup else {
      return "the model has \(Int(present)) \(name), no more than the target of \(Int(most))"
    }
    return "without its zeros the model is predicted to be \(floorOfSpeedup(whole / present)) "
      + "times as fast, no less than the target"
  }
}

/// A speedup with three digits behind the point, rounded down, so that it can be given as a target.
private func floorOfSpeedup(_ speedup: Double) -> String {
  Quantity.fixed((speedup * 1000).rounded(.down) / 1000, decimals: 3)
}

extension BlockWidths {
  fileprivate static let nothing = BlockWidths(heads: 0, keyValueHeads: 0, neurons: 0)
}

extension ModelLayers {
  /// The layers of a model as it came, without curvature.
  fileprivate init(plain opened: OpenedModel) throws {
    try self.init(opened.model.linears, source: opened.directory.tensors, statistics: nil)
  }
}
