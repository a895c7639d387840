package import ExactJSON

extension PruningReport {
  /// The report as a JSON document, as `docs/report-format.md` describes it.
  ///
  /// - Returns: UTF-8, indented by two spaces; the same bytes for the same report.
  /// - Throws: ``ReportError`` if a value cannot be, such as NaN.
  package func json() throws(ReportError) -> [UInt8] {
    JSONWriter.write(try jsonValue(), indent: 2)
  }

  /// The report as a JSON value, to be placed in a larger document.
  package func jsonValue() throws(ReportError) -> JSONValue {
    try validate()
    return .members([
      "formatVersion": JSONValue(Self.formatVersion),
      "program": .members(["name": "surgeon", "version": JSONValue(programVersion)]),
      "model": model.json,
      "settings": settings.json,
      "calibration": calibration?.json,
      "loss": .members(["dense": .optional(loss.dense), "pruned": .optional(loss.pruned)]),
      "summary": summary,
      "speed": speed?.json,
      "shots": .array(shots.map(\.json)),
      "widths": widths.isEmpty ? nil : .array(widths.map(\.json)),
      "layers": .array(layers.map(\.json)),
      "notes": .array(notes.map { JSONValue($0) }),
      "run": run?.json,
    ])
  }

  /// What follows from the other members, for readers that do not want to add up.
  private var summary: JSONValue {
    let total = total
    return .members([
      "weights": JSONValue(total.weights),
      "weightsKept": JSONValue(total.weightsKept),
      "shareRemoved": JSONValue(total.shareRemoved),
      "predictedRise": JSONValue(total.predictedRise),
      "measuredRise": .optional(loss.rise),
    ])
  }
}

extension JSONValue {
  /// An object without the members that have no value.
  static func members(_ members: KeyValuePairs<JSONText, JSONValue?>) -> JSONValue {
    var object = JSONObject()
    for (key, value) in members { object[key] = value }
    return .object(object)
  }

  static func optional(_ value: Double?) -> JSONValue? { value.map { JSONValue($0) } }
}

extension ModelRecord {
  fileprivate var json: JSONValue {
    [
      "name": JSONValue(name), "family": JSONValue(family), "blocks": JSONValue(blocks),
      "hiddenSize": JSONValue(hiddenSize), "parameters": JSONValue(parameters),
      "elementType": JSONValue(elementType), "fingerprint": JSONValue(fingerprint),
    ]
  }
}

extension SettingsRecord {
  fileprivate var json: JSONValue {
    [
      "method": JSONValue(method.rawValue), "structure": JSONValue(structure),
      "allocation": JSONValue(allocation.rawValue), "targetShare": JSONValue(targetShare),
      "shots": JSONValue(shots), "steps": JSONValue(steps),
    ]
  }
}

extension CalibrationRecord {
  fileprivate var json: JSONValue {
    [
      "sequences": JSONValue(sequences), "length": JSONValue(length), "tokens": JSONValue(tokens),
      "seed": JSONValue(seed), "labels": JSONValue(labels.rawValue),
      "fingerprint": JSONValue(fingerprint),
    ]
  }
}

extension ShotRecord {
  fileprivate var json: JSONValue {
    .members([
      "number": JSONValue(number), "target": JSONValue(target),
      "achieved": JSONValue(achieved), "predictedRise": JSONValue(predictedRise),
      "lossBefore": .optional(lossBefore),
      "heldOutPerplexity": .optional(heldOutPerplexity),
    ])
  }
}

extension LayerRecord {
  fileprivate var json: JSONValue {
    .members([
      "name": JSONValue(name), "block": JSONValue(block), "kind": JSONValue(kind),
      "outputs": JSONValue(outputs), "inputs": JSONValue(inputs), "hasBias": .bool(hasBias),
      "rowsKept": JSONValue(rowsKept), "columnsKept": JSONValue(columnsKept),
      "weightsKept": JSONValue(weightsKept), "predictedRise": JSONValue(predictedRise),
      "lossZeroedOnly": JSONValue(lossZeroedOnly), "lossRepaired": JSONValue(lossRepaired),
      "outputErrorZeroed": .optional(outputErrorZeroed), "outputError": .optional(outputError),
      "dampingActivations": JSONValue(dampingActivations),
      "dampingGradients": JSONValue(dampingGradients),
      "dampingRaised": JSONValue(dampingRaised),
    ])
  }
}

extension RunRecord {
  fileprivate var json: JSONValue {
    .members([
      "date": date.map { JSONValue($0) },
      "phases": .array(
        phases.map { ["name": JSONValue($0.name), "seconds": JSONValue($0.seconds)] }
      ),
    ])
  }
}
