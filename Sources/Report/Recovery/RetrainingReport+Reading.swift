package import ExactJSON

extension RetrainingReport {
  /// The version of the format that this program writes and reads.
  package static let formatVersion = 1

  /// Reads a report that ``json()`` wrote.
  ///
  /// - Parameter document: The whole document; nothing in it is trusted.
  /// - Throws: ``ReportError`` with the place of the first fault.
  package init(_ document: JSONValue) throws(ReportError) {
    try checkFormatVersion(of: document, at: "", supported: Self.formatVersion)
    let reader = try ObjectReader(
      document,
      at: "",
      keys: [
        "formatVersion", "program", "model", "training", "tokens", "heldOut", "trainedValues",
        "parameters", "weights", "zerosBefore", "zerosAfter", "writtenLoss", "course",
      ]
    )
    try self.init(reader, parameters: try reader.integer("parameters"))
    weights = try reader.integer("weights")
    zerosBefore = try reader.integer("zerosBefore")
    zerosAfter = try reader.integer("zerosAfter")
    if try reader.value("writtenLoss") != .null { writtenLoss = try reader.number("writtenLoss") }
    try validate()
  }

  /// Reads what the reports of all trainings have.
  init(_ reader: ObjectReader, parameters: Int) throws(ReportError) {
    let program = try reader.object("program", keys: ["name", "version"])
    let model = try reader.object("model", keys: ["name", "fingerprint"])
    let isHeldOut = try reader.value("heldOut") != .null
    self.init(
      programVersion: try program.text("version"),
      model: try model.text("name"),
      fingerprint: try model.text("fingerprint"),
      settings: try TrainingRecord(reader),
      tokens: try TokensRecord(reader),
      heldOut: isHeldOut ? try HeldOutRecord(reader) : nil,
      trainedValues: try reader.integer("trainedValues"),
      parameters: parameters
    )
    guard let course = TrainingCourse(json: try reader.value("course")) else {
      throw .wrongType(path: reader.place(of: "course"), expected: "the losses of a training")
    }
    self.course = course
  }
}

extension TrainingRecord {
  fileprivate init(_ report: ObjectReader) throws(ReportError) {
    let reader = try report.object(
      "training",
      keys: [
        "groups", "steps", "learningRate", "schedule", "warmUp", "finalRate", "weightDecay", "clip",
        "rank", "alpha", "seed", "betas",
      ]
    )
    let groups = try reader.list("groups") { (value, path) throws(ReportError) -> String in
      guard let name = value.string else { throw .wrongType(path: path, expected: "text") }
      return name
    }
    guard let seed = UInt64(try reader.text("seed")) else {
      throw .wrongType(path: reader.place(of: "seed"), expected: "a number as text")
    }
    self.init(
      groups: groups,
      steps: try reader.integer("steps"),
      learningRate: try reader.number("learningRate"),
      schedule: try reader.text("schedule"),
      warmUp: try reader.number("warmUp"),
      finalRate: try reader.number("finalRate"),
      weightDecay: try reader.number("weightDecay"),
      clip: try reader.value("clip") == .null ? nil : try reader.number("clip"),
      rank: reader.optional("rank") == nil ? nil : try reader.integer("rank"),
      alpha: try reader.optionalNumber("alpha"),
      seed: seed
    )
    guard let betas = reader.optional("betas") else { return }
    guard let numbers = betas.array?.compactMap(\.double), numbers.count == 2 else {
      throw .wrongType(path: reader.place(of: "betas"), expected: "two numbers")
    }
    (meanDecay, squareDecay) = (numbers[0], numbers[1])
  }
}

extension TokensRecord {
  fileprivate init(_ report: ObjectReader) throws(ReportError) {
    let reader = try report.object(
      "tokens",
      keys: ["source", "windows", "length", "batch", "accumulation"]
    )
    self.init(
      source: try reader.text("source"),
      windows: try reader.integer("windows"),
      length: try reader.integer("length"),
      batch: try reader.integer("batch"),
      accumulation: try reader.integer("accumulation")
    )
  }
}

extension HeldOutRecord {
  fileprivate init(_ report: ObjectReader) throws(ReportError) {
    let reader = try report.object("heldOut", keys: ["source", "windows", "length"])
    self.init(
      try reader.text("source"),
      try reader.integer("windows"),
      try reader.integer("length")
    )
  }
}
