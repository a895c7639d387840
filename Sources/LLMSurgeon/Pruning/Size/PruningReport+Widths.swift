import Pruning
import Report

extension PruningReport {
  /// Notes what is left of each block, and how fast that is predicted to be.
  ///
  /// - Parameters:
  ///   - left: The widths that are left.
  ///   - options: What was asked for.
  ///   - opened: The model as it came, before any shot.
  /// - Throws: ``JobError`` if the timing table is not of this model.
  mutating func record(
    _ left: [BlockWidths],
    _ options: PruneOptions,
    of opened: OpenedModel
  ) throws {
    let units = opened.model.units(options.removal.headUnit)
    speed = try options.speed(of: opened, units, leaving: left)
    widths = zip(units.widths, left).map { whole, kept in
      func width(_ width: KeyPath<BlockWidths, Int>) -> WidthRecord.Width {
        WidthRecord.Width(whole: whole[keyPath: width], kept: kept[keyPath: width])
      }
      return WidthRecord(
        heads: width(\.heads),
        keyValueHeads: width(\.keyValueHeads),
        neurons: width(\.neurons)
      )
    }
  }
}
