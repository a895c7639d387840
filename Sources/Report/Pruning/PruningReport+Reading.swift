package import ExactJSON

extension PruningReport {
  /// Reads a report that ``json()`` wrote, in this or in another program.
  ///
  /// - Parameter json: The whole document in UTF-8; nothing in it is trusted.
  /// - Throws: ``ReportError`` with the place of the first fault.
  package init(json: [UInt8]) throws(ReportError) {
    do {
      self = try PruningReport(try JSONParser.parse(json), at: "")
    } catch let error as JSONError {
      throw .malformed(error)
    } catch let error as ReportError {
      throw error
    } catch {
      preconditionFailure("only the two errors above are thrown")
    }
  }

  /// Reads a report that is part of a larger document.
  ///
  /// - Parameters:
  ///   - value: The report.
  ///   - path: Its place in the document, for messages.
  /// - Throws: ``ReportError`` with the place of the first fault.
  package init(_ value: JSONValue, at path: String) throws(ReportError) {
    try checkFormatVersion(of: value, at: path, supported: Self.formatVersion)
    let reader = try ObjectReader(
      value,
      at: path,
      keys: [
        "formatVersion", "program", "model", "settings", "calibration", "loss", "summary", "speed",
        "shots", "widths", "layers", "notes", "run",
      ]
    )
    programVersion = try Self.programVersion(reader)
    model = try ModelRecord(try reader.value("model"), at: reader.place(of: "model"))
    settings = try SettingsRecord(try reader.value("settings"), at: reader.place(of: "settings"))
    calibration = nil
    if let value = reader.optional("calibration") {
      calibration = try CalibrationRecord(value, at: reader.place(of: "calibration"))
    }
    loss = try LossRecord(try reader.value("loss"), at: reader.place(of: "loss"))
    speed = nil
    if let value = reader.optional("speed") {
      speed = try SpeedRecord(value, at: reader.place(of: "speed"))
    }
    shots = try reader.list("shots", ShotRecord.init(_:at:))
    widths =
      reader.optional("widths") == nil ? [] : try reader.list("widths", WidthRecord.init(_:at:))
    layers = try reader.list("layers", LayerRecord.init(_:at:))
    notes = try reader.list("notes", Self.note)
    run = nil
    if let value = reader.optional("run") {
      run = try RunRecord(value, at: reader.place(of: "run"))
    }
    try validate()
    try checkSummary(try reader.value("summary"), at: reader.place(of: "summary"))
  }

  private static func programVersion(_ reader: ObjectReader) throws(ReportError) -> String {
    let program = try ObjectReader(
      try reader.value("program"),
      at: reader.place(of: "program"),
      keys: ["name", "version"]
    )
    guard try program.text("name") == "surgeon" else {
      throw .invalid(path: program.place(of: "name"), rule: "\"surgeon\"")
    }
    return try program.text("version")
  }

  private static func note(_ value: JSONValue, at path: String) throws(ReportError) -> String {
    guard let note = value.string else { throw .wrongType(path: path, expected: "text") }
    return note
  }

  /// Compares the stated sums with those of the layers.
  private func checkSummary(_ value: JSONValue, at path: String) throws(ReportError) {
    let keys: Set<JSONText> = [
      "weights", "weightsKept", "shareRemoved", "predictedRise", "measuredRise",
    ]
    let reader = try ObjectReader(value, at: path, keys: keys)
    let total = total
    let sums: [(JSONText, Double)] = [
      ("weights", Double(total.weights)), ("weightsKept", Double(total.weightsKept)),
      ("shareRemoved", total.shareRemoved), ("predictedRise", total.predictedRise),
    ]
    for (key, computed) in sums { try reader.checkSum(key, computed) }
    if let rise = loss.rise { try reader.checkSum("measuredRise", rise) }
    guard loss.rise != nil || reader.optional("measuredRise") == nil else {
      throw .unknownMember(path: reader.place(of: "measuredRise"))
    }
  }
}

extension ObjectReader {
  /// How far a stated sum may be from the computed one, relative to its size: decimal fractions
  /// that another program wrote with ten digits pass.
  private static let tolerance = 1e-9

  func checkSum(_ key: JSONText, _ computed: Double) throws(ReportError) {
    let stated = try number(key)
    guard abs(stated - computed) <= Self.tolerance * max(1, abs(computed)) else {
      throw .inconsistent(path: place(of: key), stated: stated, computed: computed)
    }
  }
}
