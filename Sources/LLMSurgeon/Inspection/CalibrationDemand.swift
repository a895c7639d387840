import ExactJSON
import Report
import Transformer

/// What a calibration will need, counted from the shapes.
public struct CalibrationDemand: Sendable, Equatable {
  /// The number of windows.
  public let samples: Int
  /// The tokens of each.
  public let length: Int
  /// The floating-point operations of all matrix products.
  public let operations: Double
  /// The largest resident memory, in bytes, weights that are mapped not counted.
  public let memory: Double
  /// The size of the statistics directory, in bytes.
  public let disk: Double
  /// The time at this machine's measured rate of matrix products, in seconds.
  public let seconds: Double

  /// Counts what a calibration needs.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - samples: The number of windows.
  ///   - length: The tokens of each.
  ///   - rate: The machine's rate in operations a second.
  init(of model: DecoderModel, samples: Int, length: Int, rate: Double) {
    let decoder = model.decoder
    let tokens = Double(samples) * Double(length)
    let blocks = (0..<decoder.blocks).map { BlockDemand(of: model, block: $0) }
    let head = 4 * Double(decoder.vocabulary) * Double(decoder.hiddenSize) * tokens
    operations = blocks.reduce(head) { $0 + $1.operations(tokens: tokens, length: length) }

    let batch = Double(max(1, DecoderBlock.tokensPerBatch / length) * length)
    let kept = Double(decoder.blocks + 1) * tokens * Double(decoder.hiddenSize)
    let embedding = Double(decoder.vocabulary) * Double(decoder.hiddenSize)
    let largest = blocks.map { $0.numbersAtOnce(tokens: batch) }.max() ?? 0
    memory = 4 * (kept + max(embedding, largest))
    disk = 4 * blocks.reduce(0) { $0 + $1.packedNumbers } + 8 * tokens
    seconds = operations / rate
    self.samples = samples
    self.length = length
  }

  /// A number of bytes; the largest there is for what no disk and no memory has.
  private func whole(_ bytes: Double) -> Int { bytes < 0x1p63 ? Int(bytes) : .max }

  /// A paragraph for a person.
  var text: String {
    """
    A calibration on \(samples) × \(length) tokens needs about \
    \(Quantity.bytes(whole(memory))) of memory, \(Quantity.bytes(whole(disk))) of disk, \
    \(Quantity.fixed(operations / 1e12, decimals: 2)) TFLOP, \
    and at least \(Quantity.duration(seconds: seconds)) on this machine.
    """
  }

  var json: JSONValue {
    [
      "samples": JSONValue(samples), "length": JSONValue(length),
      "operations": JSONValue(operations), "memoryBytes": JSONValue(whole(memory)),
      "diskBytes": JSONValue(whole(disk)), "seconds": JSONValue(seconds),
    ]
  }
}

/// What one block adds to a calibration.
private struct BlockDemand {
  /// The number of weights of the linear layers.
  let weights: Double
  /// The orders of the factors of all layers; an `A` that layers share counts once.
  let orders: [Double]
  /// The width of all query heads.
  let heads: Double
  /// The numbers that are kept for a token between the block's forward and backward pass.
  let width: Double

  init(of model: DecoderModel, block: Int) {
    let decoder = model.decoder
    let shape = decoder.blockShapes[block]
    let linears = model.linears.filter { $0.block == block }
    let groups = model.inputGroups.filter { $0.block == block }
    weights = linears.reduce(0) { $0 + Double($1.outputs) * Double($1.inputs) }
    orders =
      groups.map { Double($0.inputs + ($0.hasBias ? 1 : 0)) } + linears.map { Double($0.outputs) }
    heads = Double(shape.heads * decoder.headSize)
    width = Double(8 * decoder.hiddenSize + 6 * shape.innerSize) + 10 * heads
  }

  private var squares: Double { orders.reduce(0) { $0 + $1 * $1 } }

  /// The floating-point operations: forward, the forward again from the kept input, the gradients of
  /// the inputs; then the factors.
  func operations(tokens: Double, length: Int) -> Double {
    // Causal attention computes half of the scores; forward, recomputed, and five products back.
    let attention = heads * Double(length) * tokens * (2 + 2 + 5)
    return 6 * weights * tokens + attention + squares * tokens
  }

  /// The numbers in memory while the block is worked on, `tokens` at a time.
  func numbersAtOnce(tokens: Double) -> Double { weights + 2 * squares + tokens * width }

  /// The numbers of the factors' triangles.
  var packedNumbers: Double { orders.reduce(0) { $0 + $1 * ($1 + 1) / 2 } }
}
