import ExactJSON

extension RetrainingReport {
  /// The report as a JSON document, as `docs/retraining.md` describes it.
  ///
  /// - Returns: UTF-8, indented by two spaces; the same bytes for the same report.
  /// - Throws: ``ReportError`` if a value cannot be, such as NaN.
  package func json() throws(ReportError) -> [UInt8] {
    try validate()
    let value: JSONValue = [
      "formatVersion": 1,
      "program": ["name": "surgeon", "version": JSONValue(programVersion)],
      "model": ["name": JSONValue(model), "fingerprint": JSONValue(fingerprint)],
      "training": settings.json, "tokens": tokens.json, "heldOut": heldOut?.json ?? .null,
      "trainedValues": JSONValue(trainedValues), "parameters": JSONValue(parameters),
      "weights": JSONValue(weights), "zerosBefore": JSONValue(zerosBefore),
      "zerosAfter": JSONValue(zerosAfter),
      "writtenLoss": writtenLoss.map { JSONValue($0) } ?? .null, "course": course.json,
    ]
    return JSONWriter.write(value, indent: 2)
  }
}

extension TrainingRecord {
  /// The settings as a JSON value.
  var json: JSONValue {
    [
      "groups": .array(groups.map { JSONValue($0) }), "steps": JSONValue(steps),
      "learningRate": JSONValue(learningRate), "schedule": JSONValue(schedule),
      "warmUp": JSONValue(warmUp), "finalRate": JSONValue(finalRate),
      "weightDecay": JSONValue(weightDecay), "clip": clip.map { JSONValue($0) } ?? .null,
      "rank": JSONValue(rank), "alpha": JSONValue(alpha), "seed": JSONValue(String(seed)),
    ]
  }

  /// The settings of a training of all values: with the decays of the moments, without factors.
  var jsonWithDecays: JSONValue {
    guard var object = json.object else { return json }
    for key: JSONText in ["rank", "alpha"] { object[key] = nil }
    object["betas"] = [JSONValue(meanDecay), JSONValue(squareDecay)]
    return .object(object)
  }
}

extension TokensRecord {
  /// The tokens as a JSON value.
  var json: JSONValue {
    [
      "source": JSONValue(source), "windows": JSONValue(windows), "length": JSONValue(length),
      "batch": JSONValue(batch), "accumulation": JSONValue(accumulation),
    ]
  }
}

extension HeldOutRecord {
  /// The tokens as a JSON value.
  var json: JSONValue {
    [
      "source": JSONValue(source), "windows": JSONValue(windows), "length": JSONValue(length),
    ]
  }
}
