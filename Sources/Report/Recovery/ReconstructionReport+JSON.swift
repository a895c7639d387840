package import ExactJSON

extension ReconstructionReport.Window {
  /// The window as a JSON value.
  package var json: JSONValue {
    [
      "name": JSONValue(name), "errorBefore": JSONValue(before), "errorAfter": JSONValue(after),
      "kept": .bool(isKept),
    ]
  }

  /// Reads a window, or nothing if it is none.
  package init?(json: JSONValue) {
    guard let name = json["name"]?.string, let before = json["errorBefore"]?.double,
      let after = json["errorAfter"]?.double, let isKept = json["kept"]?.bool
    else { return nil }
    self.init(name: name, before: before, after: after, isKept: isKept)
  }
}

extension ReconstructionReport {
  /// The report as a JSON document, as `docs/retraining.md` describes it.
  ///
  /// - Returns: UTF-8, indented by two spaces; the same bytes for the same report.
  /// - Throws: ``ReportError`` if a value cannot be, such as NaN.
  package func json() throws(ReportError) -> [UInt8] {
    try Check.text(model, "model")
    for (index, window) in windows.enumerated() {
      try Check.notNegative(window.before, "windows[\(index)].errorBefore")
      try Check.notNegative(window.after, "windows[\(index)].errorAfter")
    }
    let value: JSONValue = [
      "formatVersion": JSONValue(RetrainingReport.formatVersion),
      "program": ["name": "surgeon", "version": JSONValue(programVersion)],
      "model": ["name": JSONValue(model), "fingerprint": JSONValue(fingerprint)],
      "window": JSONValue(window), "inputs": JSONValue(inputs), "target": JSONValue(target),
      "training": training.json, "sequences": JSONValue(sequences), "length": JSONValue(length),
      "heldOutLossBefore": lossBefore.map { JSONValue($0) } ?? .null,
      "heldOutLossAfter": lossAfter.map { JSONValue($0) } ?? .null,
      "windows": .array(windows.map(\.json)),
    ]
    return JSONWriter.write(value, indent: 2)
  }
}
