import Depth
import ExactJSON
import Report

/// How much each block, or part of one, matters.
public struct DepthScores: Sendable {
  /// The scores by one metric.
  public struct Column: Sendable {
    /// The metric.
    public let metric: DepthMetric
    /// A value for each unit; units with low values matter least.
    public let values: [Double]
    /// The standard errors of the values, where they are estimates.
    public var standardErrors: [Double]?
    /// The walks that the values are means of, where they are.
    public var walks: Int?
  }

  /// The model's name for reports.
  let model: String
  let structure: DepthStructure
  let span: Int
  /// The units, or the blocks at which spans begin.
  public let units: [DepthUnit]
  /// The scores, one column for each metric.
  public let columns: [Column]
  let windows: TokenWindows
}

extension DepthScores {
  /// The units in the order in which a metric lets them go.
  ///
  /// - Throws: `DepthError` if a score is no number.
  func order(_ column: Column) throws -> [DepthUnit] {
    try Elimination.order(column.values).map { units[$0] }
  }

  /// A table, with a picture of the first metric.
  ///
  /// - Parameters:
  ///   - width: The terminal's width.
  ///   - isTerminal: Whether colours make sense.
  /// - Returns: Lines without a final newline.
  /// - Throws: `DepthError` if a score is no number.
  public func text(columns width: Int, isTerminal: Bool) throws -> String {
    let orders = try columns.map { try order($0) }
    var table = TextTable(
      title: title,
      columns: [.init("unit", .left)]
        + columns.map { TextTable.Column($0.metric.rawValue, importance: 12) }
        + [.init("", .left, isAccented: true)]
    )
    let decimals = columns.map { DecimalColumn($0.values) }
    // The picture is no ornament here, so it is drawn in files too.
    let style = TerminalStyle(columns: width, isTerminal: isTerminal)
    let pen = TerminalStyle(columns: width, isTerminal: true)
    let longest = columns[0].values.max() ?? 0
    for (place, unit) in units.enumerated() {
      let share = longest > 0 ? columns[0].values[place] / longest : 0
      let values = columns.indices.map { column -> String in
        let value = decimals[column].text(columns[column].values[place])
        guard let errors = columns[column].standardErrors, errors[place].isFinite else {
          return value
        }
        return value + " ±" + decimals[column].text(errors[place])
      }
      table.add([name(of: unit)] + values + [pen.bar(share, width: 24)])
    }
    let lines = zip(columns, orders).map { column, order in
      let walks = column.walks.map { ", \($0) walks" } ?? ""
      return "\(column.metric.rawValue) (\(column.metric.unit)\(walks)), first to go first: "
        + order.map(name).joined(separator: " ")
    }
    return table.text(style: style) + lines.joined(separator: "\n")
  }

  private var title: String {
    let spans = span > 1 ? ", spans of \(span)" : ""
    return
      "\(model), \(structure)\(spans), \(windows.count) windows of \(windows.length) tokens of "
      + windows.source
  }

  /// The number of a block, or the part and the number.
  private func name(of unit: DepthUnit) -> String {
    if span > 1 { return "\(unit.block)–\(unit.block + span - 1)" }
    return structure.kinds.count == 1 ? "\(unit.block)" : "\(unit.kind.rawValue):\(unit.block)"
  }

  /// A JSON document without a final newline.
  ///
  /// - Throws: `DepthError` if a score is no number.
  public func json() throws -> String {
    let columns = try columns.map { column -> JSONValue in
      var object = JSONObject()
      object["metric"] = JSONValue(column.metric.rawValue)
      object["unit"] = JSONValue(column.metric.unit)
      object["values"] = .array(column.values.map { JSONValue($0) })
      if let errors = column.standardErrors {
        object["standardErrors"] = .array(errors.map { $0.isFinite ? JSONValue($0) : .null })
      }
      if let walks = column.walks { object["walks"] = JSONValue(walks) }
      object["order"] = .array(
        try Elimination.order(column.values).map { JSONValue($0) }
      )
      return .object(object)
    }
    let document: JSONValue = [
      "model": JSONValue(model), "structure": JSONValue("\(structure)"), "span": JSONValue(span),
      "units": .array(units.map(\.json)), "scores": .array(columns),
      "windows": JSONValue(windows.count), "length": JSONValue(windows.length),
      "source": JSONValue(windows.source), "windowsFingerprint": JSONValue(windows.fingerprint),
    ]
    return String(decoding: JSONWriter.write(document, indent: 2), as: UTF8.self)
      .trimmingSuffix("\n")
  }
}

extension DepthUnit {
  /// The unit as it stands in documents.
  var json: JSONValue { ["kind": JSONValue(kind.rawValue), "block": JSONValue(block)] }
}
