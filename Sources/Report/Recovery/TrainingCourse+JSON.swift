package import ExactJSON

extension TrainingCourse {
  /// The course as a JSON value; what an ordinary training lacks is left out.
  package var json: JSONValue {
    var object = JSONObject()
    object["losses"] = .array(steps.map { JSONValue($0.loss) })
    object["rates"] = .array(steps.map { JSONValue($0.rate) })
    object["gradientNorms"] = .array(steps.map { JSONValue($0.gradientNorm) })
    func list(_ values: [Double?]) -> JSONValue? {
      guard values.contains(where: { $0 != nil }) else { return nil }
      return .array(values.map { $0.map { JSONValue($0) } ?? .null })
    }
    object["divergences"] = list(steps.map(\.divergence))
    object["hiddenErrors"] = list(steps.map(\.hiddenError))
    object["heldOut"] = .array(
      heldOut.map { ["step": JSONValue($0.step), "loss": JSONValue($0.loss)] }
    )
    if !cuts.isEmpty { object["cuts"] = .array(cuts.map(\.json)) }
    return .object(object)
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
    func optional(_ key: JSONText) -> [Double?]? {
      guard let values = json[key] else { return [Double?](repeating: nil, count: losses.count) }
      let numbers = values.array?.map(\.double)
      return numbers?.count == losses.count ? numbers : nil
    }
    guard let divergences = optional("divergences"), let errors = optional("hiddenErrors")
    else { return nil }
    self.init()
    steps = losses.indices.map {
      Step(
        loss: losses[$0],
        rate: rates[$0],
        gradientNorm: norms[$0],
        divergence: divergences[$0],
        hiddenError: errors[$0]
      )
    }
    heldOut = points.compactMap { point in
      guard let step = point["step"]?.integer, let loss = point["loss"]?.double else { return nil }
      return HeldOut(step: step, loss: loss)
    }
    let removals = json["cuts"]?.array ?? []
    cuts = removals.compactMap { Cut(json: $0) }
    guard heldOut.count == points.count, cuts.count == removals.count else { return nil }
  }
}

extension TrainingCourse.Cut {
  fileprivate var json: JSONValue {
    [
      "step": JSONValue(step), "blocks": .array(blocks.map { JSONValue($0) }),
      "lossBefore": lossBefore.map { JSONValue($0) } ?? .null,
      "lossAfter": lossAfter.map { JSONValue($0) } ?? .null,
    ]
  }

  fileprivate init?(json: JSONValue) {
    guard let step = json["step"]?.integer, let list = json["blocks"]?.array,
      case let blocks = list.compactMap(\.integer), blocks.count == list.count
    else { return nil }
    self.init(
      step: step,
      blocks: blocks,
      lossBefore: json["lossBefore"]?.double,
      lossAfter: json["lossAfter"]?.double
    )
  }
}
