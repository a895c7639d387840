import Checkpoint
import Export
import Pruning
import Tensors
import Transformer

/// A size of the checkpoint that a model with given widths is written as.
struct WrittenMeasure: WidthMeasure {
  /// The contributions at the sizes that are written.
  private let counted: any WidthMeasure
  private let sizes: WrittenSizes
  /// The least that is written of each block, because other blocks need it.
  private let floor: BlockWidths

  /// Counts what blocks are written as.
  ///
  /// - Parameters:
  ///   - counted: The measure of a model of given widths.
  ///   - sizes: How the blocks are written.
  ///   - floor: The least that is written of each block, because other blocks need it.
  init(_ counted: any WidthMeasure, sizes: WrittenSizes, floor: BlockWidths) {
    self.counted = counted
    self.sizes = sizes
    self.floor = floor
  }

  var name: String { counted.name }
  var constant: Double { counted.constant }

  func value(of widths: BlockWidths, block: Int) -> Double {
    let groups = max(1, widths.keyValueHeads, floor.keyValueHeads)
    // As many query heads of every group; none are left of a part that is gone.
    let sharing = max(
      widths.keyValueHeads == 0 ? 1 : widths.heads / widths.keyValueHeads,
      floor.keyValueHeads == 0 ? 1 : floor.heads / floor.keyValueHeads
    )
    let shape = sizes.shape(
      holding: BlockShape(
        heads: groups * sharing,
        keyValueHeads: groups,
        innerSize: max(widths.neurons, floor.neurons)
      ),
      block: block
    )
    return counted.value(
      of: BlockWidths(
        heads: shape.heads,
        keyValueHeads: shape.keyValueHeads,
        neurons: shape.innerSize
      ),
      block: block
    )
  }
}

extension OpenedModel {
  /// The measure of a size, of the model with given widths.
  ///
  /// The headers of the files count as they are before pruning: smaller sizes have no more digits.
  ///
  /// - Parameters:
  ///   - target: What is counted.
  ///   - timing: The times from which a speedup is predicted.
  /// - Returns: The measure.
  /// - Throws: ``JobError`` without a table of this model where one is needed, or what planning the
  ///   checkpoint throws.
  func measure(of target: SizeTarget, timing: TimingTable?) throws -> any WidthMeasure {
    func elementSize(_ tensor: TensorName) -> Double {
      Double(model.source.description(of: tensor)?.elementType.byteCount ?? 0)
    }
    switch target {
    case .parameters:
      let total = try CheckpointWriter.size(of: directory).parameters
      return model.measure(target.name, total: total) { _ in 1 }
    case .bytes:
      let total = try CheckpointWriter.size(of: directory).bytes
      return model.measure(target.name, total: total, weighing: elementSize)
    case .keyValueBytesPerToken:
      let blocks = (0..<model.decoder.blocks).map { block in
        let cached = model.linears.filter {
          $0.block == block && ($0.role == .key || $0.role == .value)
        }
        return LinearMeasure.Block(
          perHead: 0,
          perKeyValueHead: cached.reduce(0) { $0 + elementSize($1.weight) }
            * Double(model.decoder.headSize),
          perNeuron: 0
        )
      }
      return LinearMeasure(name: target.name, blocks: blocks)
    case .speedup:
      guard let timing else {
        throw JobError.badSetting(
          "a speedup as target needs a timing table: give --timing-table FILE, which "
            + "'surgeon measure MODEL --output FILE' makes"
        )
      }
      return try TimingMeasure(timing, of: model.decoder)
    }
  }
}

extension DecoderModel {
  /// A measure of weights and biases.
  ///
  /// - Parameters:
  ///   - name: What is counted.
  ///   - total: The quantity of the whole model.
  ///   - weighing: What one element of a tensor counts.
  /// - Returns: A measure that is the total for the widths of the model.
  fileprivate func measure(
    _ name: String,
    total: Int,
    weighing: (TensorName) -> Double
  ) -> LinearMeasure {
    var rest = Double(total)
    var blocks = [LinearMeasure.Block](
      repeating: LinearMeasure.Block(perHead: 0, perKeyValueHead: 0, perNeuron: 0),
      count: decoder.blocks
    )
    let size = Double(decoder.headSize)
    for linear in linears {
      let weight = weighing(linear.weight)
      let perBias = linear.bias.map(weighing) ?? 0
      let perRow = weight * Double(linear.inputs) + perBias
      let perColumn = weight * Double(linear.outputs)
      let bias = perBias * Double(linear.outputs)
      rest -= Double(linear.outputs) * perRow
      switch linear.role {
      case .query: blocks[linear.block].perHead += size * perRow
      case .key, .value: blocks[linear.block].perKeyValueHead += size * perRow
      case .attentionOutput:
        blocks[linear.block].perHead += size * perColumn
        rest += bias
      case .gate, .up: blocks[linear.block].perNeuron += perRow
      case .down:
        blocks[linear.block].perNeuron += perColumn
        rest += bias
      }
    }
    return LinearMeasure(name: name, blocks: blocks, constant: rest)
  }
}

extension OpenedModel {
  /// The bytes of the weight files of a copy of the model.
  func writtenBytes() throws -> Int { try CheckpointWriter.size(of: directory).bytes }
}
