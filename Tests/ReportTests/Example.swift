import Report

/// Reports made from formulas, so that every figure differs from its neighbours.
enum Example {
  /// The kinds of matrices of a gated decoder block.
  static let gatedKinds = [
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
  ]

  /// A report on a model of `blocks` blocks.
  ///
  /// - Parameters:
  ///   - blocks: Decoder blocks.
  ///   - width: The width of the residual stream.
  ///   - kinds: The matrices of each block.
  ///   - share: The share removed of each matrix from its block and place, 0 to 1.
  /// - Returns: The report with everything filled in.
  static func report(
    blocks: Int,
    width: Int = 64,
    kinds: [String] = gatedKinds,
    share: (_ block: Int, _ place: Int) -> Double = { Double(($0 * 7 + $1 * 3) % 11) / 10 }
  ) -> PruningReport {
    var layers: [LayerRecord] = []
    for block in 0..<blocks {
      for (place, kind) in kinds.enumerated() {
        layers.append(layer(block, kind, width, share: share(block, place)))
      }
    }
    var report = PruningReport(
      programVersion: "1.2.3",
      model: model(blocks: blocks, width: width),
      settings: SettingsRecord(
        method: .surgeon,
        structure: "element",
        allocation: .global,
        targetShare: 0.5,
        shots: 2,
        steps: 1
      ),
      calibration: CalibrationRecord(
        sequences: 128,
        length: 2048,
        tokens: 262_016,
        seed: 7,
        labels: .empirical,
        fingerprint: "xxh3:0123456789abcdef"
      ),
      layers: layers
    )
    report.loss = LossRecord(dense: 4.1160, pruned: 4.2102)
    report.shots = [
      ShotRecord(number: 1, target: 0.25, achieved: 0.2501, predictedRise: 0.0101),
      ShotRecord(number: 2, target: 0.5, achieved: 0.5, predictedRise: 0.07, lossBefore: 4.125),
    ]
    report.notes = ["The damping of layer 3 was raised twice."]
    report.run = RunRecord(
      date: "2025-01-02T03:04:05Z",
      phases: [.init("calibration", seconds: 72.4), .init("pruning", seconds: 8.31)]
    )
    return report
  }

  private static func model(blocks: Int, width: Int) -> ModelRecord {
    ModelRecord(
      name: "example/tiny",
      family: "llama",
      blocks: blocks,
      hiddenSize: width,
      parameters: 125_239_296,
      elementType: "float16",
      fingerprint: "xxh3:fedcba9876543210"
    )
  }

  private static func layer(
    _ block: Int,
    _ kind: String,
    _ width: Int,
    share: Double
  ) -> LayerRecord {
    let part = kind.hasPrefix("fc") || kind.hasSuffix("gate_proj") ? "mlp" : "self_attn"
    var layer = LayerRecord(
      name: "model.layers.\(block).\(part).\(kind)",
      block: block,
      kind: kind,
      outputs: kind == "up_proj" || kind == "gate_proj" || kind == "fc1" ? 4 * width : width,
      inputs: kind == "down_proj" || kind == "fc2" ? 4 * width : width
    )
    layer.weightsKept = layer.weights - Int((Double(layer.weights) * share).rounded())
    layer.predictedRise = 0.002 * share * share * Double(1 + (block * 5 + kind.utf8.count) % 7)
    layer.lossZeroedOnly = layer.predictedRise * 3.5
    layer.lossRepaired = layer.predictedRise
    layer.dampingActivations = 0.01
    layer.dampingGradients = 0.1
    return layer
  }
}
