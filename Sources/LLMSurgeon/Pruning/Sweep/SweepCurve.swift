import ExactJSON
import Pruning
import Report

/// What is left, and what it is predicted to cost, for each of several targets.
public struct SweepCurve: Sendable {
  /// The model's name for reports.
  let model: String
  let settings: PruningSettings
  /// The mean loss of the model on the calibration windows; nats per token.
  let lossBefore: Double?
  /// The points in the order of the targets.
  public let points: [SweepPoint]
}

/// What a pruning to one target would leave.
public struct SweepPoint: Sendable {
  /// What is left.
  public struct Left: Sendable {
    /// The share of the prunable weights that is removed.
    public let shareRemoved: Double
    /// The predicted rise of the loss, in nats per token; nil without curvature to predict it
    /// from.
    public let predictedRise: Double?
    /// The parameters of the written checkpoint; where zeros stay in their place, those that are
    /// left beside them.
    public let parameters: Int
    /// The bytes of the written weight files; nil where only writing tells.
    public let bytes: Int?
    /// What is left of each block, where neurons or heads are removed.
    var widths: [BlockWidths] = []
    /// How many times as fast a prompt is by the timing table, where one is given.
    public internal(set) var predictedSpeedup: Double?
  }

  /// The share of the prunable weights to remove.
  public let target: Double
  /// What is left; nil where the constraints do not allow the target.
  public let left: Left?
}

extension SweepCurve {
  /// An aligned table.
  ///
  /// - Parameters:
  ///   - columns: The terminal's width.
  ///   - isTerminal: Whether colours make sense.
  /// - Returns: Lines without a final newline.
  public func text(columns: Int, isTerminal: Bool) -> String {
    let hasWidths = settings.structure.isUnits
    var table = TextTable(
      title: "\(model), \(settings.structure), \(settings.method.rawValue), "
        + settings.allocation.rawValue,
      columns: ["target", "removed"].map { TextTable.Column($0) }
        + (hasWidths ? ["heads", "groups", "neurons"].map { TextTable.Column($0) } : [])
        + ["parameters", "files"].map { TextTable.Column($0) }
        + (hasRises ? [TextTable.Column("predicted rise")] : [])
        + (hasSpeedups ? [TextTable.Column("predicted speed")] : [])
    )
    let decimals = DecimalColumn(points.compactMap { $0.left?.predictedRise })
    for point in points {
      let target = Quantity.percent(point.target)
      guard let left = point.left else {
        let count = 2 + (hasWidths ? 3 : 0) + (hasRises ? 1 : 0) + (hasSpeedups ? 1 : 0)
        let blanks = [String](repeating: "–", count: count)
        table.add([target, "out of reach"] + blanks, .dim)
        continue
      }
      let widths = [
        left.range(of: \.heads), left.range(of: \.keyValueHeads), left.range(of: \.neurons),
      ]
      table.add(
        [target, Quantity.percent(left.shareRemoved)] + (hasWidths ? widths : []) + [
          Quantity.count(left.parameters), left.bytes.map { Quantity.bytes($0) } ?? "–",
        ] + (left.predictedRise.map { [decimals.text($0)] } ?? [])
          + (left.predictedSpeedup.map { ["\(Quantity.fixed($0, decimals: 2)) ×"] } ?? [])
      )
    }
    let style = TerminalStyle(columns: columns, isTerminal: isTerminal)
    let base = lossBefore.map { " (loss before: \(Quantity.nats($0)))" } ?? ""
    return table.text(style: style)
      + (hasRises ? "\npredicted rise in nats per token" + base : "")
  }

  private var hasRises: Bool { points.contains { $0.left?.predictedRise != nil } }

  private var hasSpeedups: Bool { points.contains { $0.left?.predictedSpeedup != nil } }

  /// A JSON document without a final newline.
  public var json: String {
    let document: JSONValue = [
      "model": JSONValue(model), "structure": JSONValue("\(settings.structure)"),
      "method": JSONValue(settings.method.rawValue),
      "allocation": JSONValue(settings.allocation.rawValue),
      "lossBefore": lossBefore.map { JSONValue($0) } ?? .null,
      "points": .array(points.map(\.json)),
    ]
    return String(decoding: JSONWriter.write(document, indent: 2), as: UTF8.self)
      .trimmingSuffix("\n")
  }
}

extension SweepPoint {
  fileprivate var json: JSONValue {
    guard let left else { return ["target": JSONValue(target), "isInReach": .bool(false)] }
    let point: JSONValue = [
      "target": JSONValue(target), "isInReach": .bool(true),
      "shareRemoved": JSONValue(left.shareRemoved),
      "predictedRise": left.predictedRise.map { JSONValue($0) } ?? .null,
      "parameters": JSONValue(left.parameters),
      "bytes": left.bytes.map { JSONValue($0) } ?? .null,
      "blocks": .array(
        left.widths.map { block in
          [
            "heads": JSONValue(block.heads), "keyValueHeads": JSONValue(block.keyValueHeads),
            "neurons": JSONValue(block.neurons),
          ]
        }
      ),
    ]
    guard let speedup = left.predictedSpeedup, var members = point.object else { return point }
    members["predictedSpeedup"] = JSONValue(speedup)
    return .object(members)
  }
}

extension SweepPoint.Left {
  /// A width of the blocks: one number, or the smallest and the largest.
  fileprivate func range(of width: KeyPath<BlockWidths, Int>) -> String {
    let values = widths.map { $0[keyPath: width] }
    guard let least = values.min(), let most = values.max() else { return "–" }
    return least == most ? "\(least)" : "\(least)–\(most)"
  }
}
