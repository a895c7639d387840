package import ExactJSON

extension TrainingCourse {
  /// The course as a JSON value.
  package var json: JSONValue {
    [
      "losses": .array(steps.map { JSONValue($0.loss) }),
      "rates": .array(steps.map { JSONValue($0.rate) }),
      "gradientNorms": .array(steps.map { JSONValue($0.gradientNorm) }),
      "heldOut": .array(
        heldOut.map { ["step": JSONValue($0.step), "loss": JSONValue($0.loss)] }
      ),
    ]
  }

  /// Reads a course, or nothing if it is none.
  package init?(json: JSONValue) {
    func numbers(_ key: JSONText) -> [Double]? {
      let numbers = json[key]?.array?.compactMap(\.double)
      return numbers?.count == json[key]?.array?.count ? numbers : nil
    }
    guard let losses = numbers("losses"), let rates = numbers("rates"),
      let norms = numbers("gradientNorms"), let points = json["heldOut"]?.array,
      losses.count == rates.count, losses.count == norms.count
    else { return nil }
    self.init()
    steps = losses.indices.map {
      Step(loss: losses[$0], rate: rates[$0], gradientNorm: norms[$0])
    }
    heldOut = points.compactMap { point in
      guard let step = point["step"]?.integer, let loss = point["loss"]?.double else { return nil }
      return HeldOut(step: step, loss: loss)
    }
    guard heldOut.count == points.count else { return nil }
  }
}

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
}

extension TokensRecord {
  fileprivate var json: JSONValue {
    [
      "source": JSONValue(source), "windows": JSONValue(windows), "length": JSONValue(length),
      "batch": JSONValue(batch), "accumulation": JSONValue(accumulation),
    ]
  }
}

extension HeldOutRecord {
  fileprivate var json: JSONValue {
    [
      "source": JSONValue(source), "windows": JSONValue(windows), "length": JSONValue(length),
    ]
  }
}
