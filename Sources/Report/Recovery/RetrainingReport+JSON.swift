import ExactJSON

extension RetrainingReport {
  /// The report as a JSON document, as `docs/retraining.md` describes it.
  ///
  /// - Returns: UTF-8, indented by two spaces; the same bytes for the same report.
  /// - Throws: ``ReportError`` if a value cannot be, such as NaN.
  package func json() throws(ReportError) -> [UInt8] {
    try validate()
    let value: JSONValue = [
      "formatVersion": JSONValue(RetrainingReport.formatVersion),
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
  /// The settings as a JSON value; those of factors where there are any.
  var json: JSONValue { .object(object) }

  /// The same with the decays of the moments.
  var jsonWithDecays: JSONValue {
    var object = object
    object["betas"] = [JSONValue(meanDecay), JSONValue(squareDecay)]
    return .object(object)
  }

  private var object: JSONObject {
    var object = JSONObject()
    object["groups"] = .array(groups.map { JSONValue($0) })
    object["steps"] = JSONValue(steps)
    object["learningRate"] = JSONValue(learningRate)
    object["schedule"] = JSONValue(schedule)
    object["warmUp"] = JSONValue(warmUp)
    object["finalRate"] = JSONValue(finalRate)
    object["weightDecay"] = JSONValue(weightDecay)
    object["clip"] = clip.map { JSONValue($0) } ?? .null
    object["rank"] = rank.map { JSONValue($0) }
    object["alpha"] = alpha.map { JSONValue($0) }
    object["seed"] = JSONValue(String(seed))
    return object
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
