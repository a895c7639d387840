import ExactJSON

/// What a timing table predicts of a pruned model.
package struct SpeedRecord: Sendable, Equatable {
  /// The tokens of the prompt that the times are for.
  package var tokens: Int
  /// The factor that was asked for, where one was.
  package var target: Double?
  /// The predicted time before pruning, in seconds.
  package var denseSeconds: Double
  /// The predicted time after pruning, in seconds.
  package var prunedSeconds: Double

  /// Takes the times.
  package init(tokens: Int, denseSeconds: Double, prunedSeconds: Double) {
    self.tokens = tokens
    self.denseSeconds = denseSeconds
    self.prunedSeconds = prunedSeconds
  }

  /// How many times as fast the pruned model is.
  package var predictedSpeedup: Double { denseSeconds / prunedSeconds }
}

extension SpeedRecord {
  var json: JSONValue {
    .members([
      "tokens": JSONValue(tokens), "target": .optional(target),
      "denseSeconds": JSONValue(denseSeconds), "prunedSeconds": JSONValue(prunedSeconds),
      "predictedSpeedup": JSONValue(predictedSpeedup),
    ])
  }

  init(_ value: JSONValue, at path: String) throws(ReportError) {
    let reader = try ObjectReader(
      value,
      at: path,
      keys: ["tokens", "target", "denseSeconds", "prunedSeconds", "predictedSpeedup"]
    )
    self.init(
      tokens: try reader.integer("tokens"),
      denseSeconds: try reader.number("denseSeconds"),
      prunedSeconds: try reader.number("prunedSeconds")
    )
    target = try reader.optionalNumber("target")
    try validate()
    try reader.checkSum("predictedSpeedup", predictedSpeedup)
  }

  func validate() throws(ReportError) {
    try Check.integer(tokens, in: 1...Check.largest, "speed.tokens")
    if let target { try Check.notNegative(target, "speed.target") }
    for (name, seconds) in [("denseSeconds", denseSeconds), ("prunedSeconds", prunedSeconds)] {
      try Check.notNegative(seconds, "speed.\(name)")
      try Check.that(seconds > 0, "speed.\(name)", "above 0")
    }
    try Check.finite(predictedSpeedup, "speed.predictedSpeedup")
  }

  /// What a person reads.
  var sentence: String {
    let asked = target.map { " (target \(Quantity.fixed($0, decimals: 2)))" } ?? ""
    return "\(Quantity.fixed(predictedSpeedup, decimals: 2)) × for a prompt of "
      + "\(Quantity.counted(tokens, "token"))\(asked)"
  }
}
