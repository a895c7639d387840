import ExactJSON

extension ChoppingReport {
  /// The report as a JSON document, as `docs/chop.md` describes it.
  ///
  /// - Returns: UTF-8, indented by two spaces; the same bytes for the same report.
  /// - Throws: ``ReportError`` if a value cannot be, such as NaN.
  package func json() throws(ReportError) -> [UInt8] {
    try training.validate()
    let value: JSONValue = [
      "formatVersion": JSONValue(RetrainingReport.formatVersion),
      "program": ["name": "surgeon", "version": JSONValue(training.programVersion)],
      "model": ["name": JSONValue(training.model), "fingerprint": JSONValue(training.fingerprint)],
      "removal": removal.json, "parameters": sizes.parameters.json, "bytes": sizes.bytes.json,
      "keyValueBytesPerToken": sizes.keyValueBytesPerToken.json,
      "training": training.settings.jsonWithDecays,
      "distillation": distillation?.json ?? .null,
      "trainedValues": JSONValue(training.trainedValues),
      "tokens": training.tokens.json, "heldOut": training.heldOut?.json ?? .null,
      "heldOutLoss": [
        "before": loss(course.cuts.first?.lossBefore), "cut": loss(course.cuts.last?.lossAfter),
        "written": loss(training.writtenLoss),
      ],
      "course": course.json,
    ]
    return JSONWriter.write(value, indent: 2)
  }

  private func loss(_ loss: Double?) -> JSONValue { loss.map { JSONValue($0) } ?? .null }
}

extension ChoppingReport.Removal {
  fileprivate var json: JSONValue {
    func list(_ blocks: [Int]) -> JSONValue { .array(blocks.map { JSONValue($0) }) }
    return [
      "by": JSONValue(scheme), "removed": list(removed), "keptBlocks": list(kept),
      "stepsBefore": JSONValue(stepsBefore), "every": JSONValue(interval),
    ]
  }
}

extension ChoppingReport.Change {
  fileprivate var json: JSONValue { ["before": JSONValue(before), "after": JSONValue(after)] }
}

extension ChoppingReport.Distillation {
  fileprivate var json: JSONValue {
    ["logits": JSONValue(logits), "hidden": JSONValue(hidden)]
  }
}
