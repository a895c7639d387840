package import ExactJSON

extension ChoppingReport {
  /// Reads a report that ``json()`` wrote.
  ///
  /// - Parameter document: The whole document; nothing in it is trusted.
  /// - Throws: ``ReportError`` with the place of the first fault.
  package init(_ document: JSONValue) throws(ReportError) {
    try checkFormatVersion(of: document, at: "", supported: RetrainingReport.formatVersion)
    let reader = try ObjectReader(
      document,
      at: "",
      keys: [
        "formatVersion", "program", "model", "removal", "parameters", "bytes",
        "keyValueBytesPerToken", "training", "distillation", "trainedValues", "tokens", "heldOut",
        "heldOutLoss", "course",
      ]
    )
    let sizes = Sizes(
      parameters: try Change(reader, "parameters"),
      bytes: try Change(reader, "bytes"),
      keyValueBytesPerToken: try Change(reader, "keyValueBytesPerToken")
    )
    var training = try RetrainingReport(reader, parameters: sizes.parameters.before)
    let losses = try reader.object("heldOutLoss", keys: ["before", "cut", "written"])
    if try losses.value("written") != .null {
      training.writtenLoss = try losses.number("written")
    }
    try training.validate()
    let isTaught = try reader.value("distillation") != .null
    self.init(
      removal: try Removal(reader),
      sizes: sizes,
      distillation: isTaught ? try Distillation(reader) : nil,
      training: training
    )
  }
}

extension ChoppingReport.Removal {
  fileprivate init(_ report: ObjectReader) throws(ReportError) {
    let reader = try report.object(
      "removal",
      keys: ["by", "removed", "keptBlocks", "stepsBefore", "every"]
    )
    self.init(
      scheme: try reader.text("by"),
      removed: try reader.integers("removed"),
      kept: try reader.integers("keptBlocks"),
      stepsBefore: try reader.integer("stepsBefore"),
      interval: try reader.integer("every")
    )
  }
}

extension ChoppingReport.Change {
  fileprivate init(_ report: ObjectReader, _ key: JSONText) throws(ReportError) {
    let reader = try report.object(key, keys: ["before", "after"])
    self.init(before: try reader.integer("before"), after: try reader.integer("after"))
  }
}

extension ChoppingReport.Distillation {
  fileprivate init(_ report: ObjectReader) throws(ReportError) {
    let reader = try report.object("distillation", keys: ["logits", "hidden"])
    self.init(logits: try reader.number("logits"), hidden: try reader.number("hidden"))
  }
}
