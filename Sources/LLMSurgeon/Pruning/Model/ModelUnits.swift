import Pruning
import Transformer

/// Which heads are removed together.
public enum HeadUnit: String, CaseIterable, Sendable {
  /// A key and value head with all query heads that share it.
  case group
  /// One query head of every group of a block; key and value heads stay.
  case query
}

extension DecoderModel {
  /// The heads and neurons of the model, as the solver takes them.
  ///
  /// Where every query head has its own key and value head, a group is a head.
  ///
  /// - Parameter headUnit: Which heads are removed together.
  /// - Returns: The units of every block.
  func units(_ headUnit: HeadUnit) -> UnitModel {
    let blocks = blockLayers
    return UnitModel(
      parts: blocks.flatMap { [$0.attention(headUnit), $0.feedForward].compactMap(\.self) },
      widths: blocks.map(\.widths)
    )
  }

  /// The number of weights of the linear layers, without biases.
  var prunableWeights: LinearMeasure {
    LinearMeasure(
      name: "prunable weights",
      blocks: blockLayers.map { block in
        func weights(_ roles: [LinearRole], _ extent: KeyPath<LinearDescription, Int>) -> Double {
          roles.compactMap { block.layers[$0]?.layer[keyPath: extent] }.reduce(0) {
            $0 + Double($1)
          }
        }
        let size = Double(decoder.headSize)
        return LinearMeasure.Block(
          perHead: size * (weights([.query], \.inputs) + weights([.attentionOutput], \.outputs)),
          perKeyValueHead: size * weights([.key, .value], \.inputs),
          perNeuron: weights([.gate, .up], \.inputs) + weights([.down], \.outputs)
        )
      }
    )
  }

  private var blockLayers: [BlockLayers] {
    var result = (0..<decoder.blocks).map { BlockLayers(block: $0, headSize: decoder.headSize) }
    for (place, layer) in linears.enumerated() {
      result[layer.block].layers[layer.role] = (place, layer)
    }
    return result
  }
}

/// The linear layers of one block by their roles.
private struct BlockLayers {
  let block: Int
  let headSize: Int
  var layers: [LinearRole: (place: Int, layer: LinearDescription)] = [:]

  var widths: BlockWidths {
    BlockWidths(
      heads: (layers[.query]?.layer.outputs ?? 0) / headSize,
      keyValueHeads: (layers[.key]?.layer.outputs ?? 0) / headSize,
      neurons: layers[.down]?.layer.inputs ?? 0
    )
  }

  func attention(_ unit: HeadUnit) -> UnitPart? {
    let widths = widths
    guard widths.keyValueHeads > 0, let output = layers[.attentionOutput] else { return nil }
    let perGroup = widths.heads / widths.keyValueHeads
    func writers(_ roles: [(LinearRole, rows: Int)]) -> [UnitPart.Writer] {
      roles.compactMap { role, rows in
        layers[role].map {
          UnitPart.Writer(layer: $0.place, rowsPerUnit: rows, silences: role == .value)
        }
      }
    }
    switch unit {
    case .group:
      return UnitPart(
        kind: .heads,
        block: block,
        count: widths.keyValueHeads,
        reader: (output.place, perGroup * headSize),
        writers: writers([(.query, perGroup * headSize), (.key, headSize), (.value, headSize)]),
        heads: (perGroup, 1)
      )
    case .query:
      return UnitPart(
        kind: .heads,
        block: block,
        count: widths.heads,
        reader: (output.place, headSize),
        writers: writers([(.query, headSize)]),
        heads: (1, 0),
        sets: widths.keyValueHeads
      )
    }
  }

  var feedForward: UnitPart? {
    guard widths.neurons > 0, let down = layers[.down] else { return nil }
    return UnitPart(
      kind: .neurons,
      block: block,
      count: widths.neurons,
      reader: (down.place, 1),
      // Both activations are zero at zero, so one silent factor silences a neuron.
      writers: [.gate, .up].compactMap { role in
        layers[role].map { UnitPart.Writer(layer: $0.place, rowsPerUnit: 1, silences: true) }
      }
    )
  }
}
