/// What happened to several layers together.
package struct LayerSum: Sendable, Equatable {
  /// How many layers.
  package private(set) var layers = 0
  /// Weights before pruning.
  package private(set) var weights = 0
  /// Weights that were kept.
  package private(set) var weightsKept = 0
  /// The predicted rise in loss, in nats per token.
  package private(set) var predictedRise = 0.0

  /// The sum over layers, added in their order.
  package init(_ layers: some Sequence<LayerRecord>) {
    for layer in layers { add(layer) }
  }

  /// The share of the weights that was removed, 0 to 1; 0 where there are no weights.
  package var shareRemoved: Double {
    weights == 0 ? 0 : Double(weights - weightsKept) / Double(weights)
  }

  mutating func add(_ layer: LayerRecord) {
    layers += 1
    weights += layer.weights
    weightsKept += layer.weightsKept
    predictedRise += layer.predictedRise
  }
}

/// The layers of one decoder block together.
package struct BlockSum: Sendable, Equatable {
  /// The block, from 0.
  package let block: Int
  /// Its layers.
  package let sum: LayerSum
}

/// The layers of one kind together.
package struct KindSum: Sendable, Equatable {
  /// The kind, such as `q_proj`.
  package let kind: String
  /// Its layers.
  package let sum: LayerSum
}

extension PruningReport {
  /// All layers together.
  package var total: LayerSum { LayerSum(layers) }

  /// Each block's layers together, first block first.
  package var sumsByBlock: [BlockSum] {
    Dictionary(grouping: layers, by: \.block).sorted { $0.key < $1.key }
      .map { BlockSum(block: $0.key, sum: LayerSum($0.value)) }
  }

  /// The layers of each kind together, in the order data flows through a block.
  package var sumsByKind: [KindSum] {
    let groups = Dictionary(grouping: layers, by: \.kind)
    return Self.flowOrder(of: layers.map(\.kind)).map {
      KindSum(kind: $0, sum: LayerSum(groups[$0] ?? []))
    }
  }

  /// The distinct kinds: known ones in the order of data flow, then others as they first appear.
  private static func flowOrder(of kinds: [String]) -> [String] {
    var seen: Set<String> = []
    let distinct = kinds.filter { seen.insert($0).inserted }
    let known = knownKinds.filter(seen.contains)
    return known + distinct.filter { !knownKinds.contains($0) }
  }

  private static let knownKinds = [
    "q_proj", "k_proj", "v_proj", "qkv_proj", "o_proj", "out_proj",
    "gate_proj", "up_proj", "gate_up_proj", "down_proj", "fc1", "fc2",
  ]
}
