package import Tensors

/// The tensors of a model whose blocks differ, with zeros added until all have the same sizes.
///
/// Added neurons and heads contribute nothing, so the model computes what it did. Names and element
/// types stay.
package struct PaddedTensors: TensorSource {
  /// Where rows and columns of a tensor go; nil keeps their numbers.
  private struct Placement {
    var rows: [Int]?
    var columns: [Int]?
    let shape: [Int]
  }

  private let base: any TensorSource
  private let placements: [TensorName: Placement]

  /// Adds zeros to the linear layers of a model.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - shape: The sizes of all blocks; `ModelCut.largestShape` of the whole model or more.
  package init(_ model: DecoderModel, to shape: BlockShape) {
    base = model.source
    var placements: [TensorName: Placement] = [:]
    for linear in model.linears {
      let block = model.decoder.blockShapes[linear.block]
      guard block != shape else { continue }
      let places = Places(of: block, in: shape, headSize: model.decoder.headSize)
      let (rows, columns) = places.axes(of: linear.role)
      let outputs = rows?.total ?? linear.outputs
      placements[linear.weight] = Placement(
        rows: rows?.indices,
        columns: columns?.indices,
        shape: [outputs, columns?.total ?? linear.inputs]
      )
      guard let bias = linear.bias, let rows else { continue }
      placements[bias] = Placement(rows: rows.indices, shape: [outputs])
    }
    self.placements = placements
  }

  package var names: [TensorName] { base.names }

  package func description(of name: TensorName) -> TensorDescription? {
    base.description(of: name).map {
      TensorDescription(elementType: $0.elementType, shape: placements[name]?.shape ?? $0.shape)
    }
  }

  package func bytes(_ name: TensorName) throws -> [UInt8] {
    let stored = try base.bytes(name)
    guard let placement = placements[name] else { return stored }
    let description = try existing(name)
    let size = description.elementType.byteCount
    let (width, inner) = (
      placement.shape.count > 1 ? placement.shape[1] : 1,
      try base.existing(name).shape.dropFirst().first ?? 1
    )
    var result = [UInt8](repeating: 0, count: description.byteCount)
    for index in 0..<stored.count / size {
      let (row, column) = index.quotientAndRemainder(dividingBy: inner)
      let target =
        (placement.rows?[row] ?? row) * width + (placement.columns?[column] ?? column)
      for offset in 0..<size { result[target * size + offset] = stored[index * size + offset] }
    }
    return result
  }
}

/// Where the units of a block stand in a larger one.
private struct Places {
  /// The places of an axis, and its length.
  struct Axis {
    let indices: [Int]
    let total: Int
  }

  private let heads: Axis
  private let keyValueHeads: Axis
  private let neurons: Axis

  init(of block: BlockShape, in shape: BlockShape, headSize: Int) {
    func channels(_ heads: [Int], of count: Int) -> Axis {
      Axis(
        indices: heads.flatMap { $0 * headSize..<($0 + 1) * headSize },
        total: count * headSize
      )
    }
    let sharing = block.headsPerGroup
    // A head stays with the keys and values that it reads.
    let places = (0..<block.heads).map { $0 / sharing * shape.headsPerGroup + $0 % sharing }
    heads = channels(places, of: shape.heads)
    keyValueHeads = channels(Array(0..<block.keyValueHeads), of: shape.keyValueHeads)
    neurons = Axis(indices: Array(0..<block.innerSize), total: shape.innerSize)
  }

  /// The places of a layer's rows and columns, where they change.
  func axes(of role: LinearRole) -> (rows: Axis?, columns: Axis?) {
    switch role {
    case .query: (heads, nil)
    case .key, .value: (keyValueHeads, nil)
    case .attentionOutput: (nil, heads)
    case .gate, .up: (neurons, nil)
    case .down: (nil, neurons)
    }
  }
}
