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
    let first = model.linears.filter { $0.block == 0 }
    let groups = model.inputGroups.filter { $0.block == 0 }
    let blocks = Double(decoder.blocks)
    let weights = first.reduce(0.0) { $0 + Double($1.outputs) * Double($1.inputs) }
    let activationOrders = groups.map { Double($0.inputs + ($0.hasBias ? 1 : 0)) }
    let gradientOrders = first.map { Double($0.outputs) }
    let orders = activationOrders + gradientOrders
    let squares = orders.reduce(0) { $0 + $1 * $1 }
    // Causal attention computes half of the scores; forward, recomputed, and five products back.
    let attention =
      Double(decoder.heads * decoder.headSize) * Double(length) * tokens * (2 + 2 + 5)
    let head = 4 * Double(decoder.vocabulary) * Double(decoder.hiddenSize) * tokens
    // Forward, the forward again from the kept input, the gradients of the inputs; then the factors.
    operations = blocks * (6 * weights * tokens + attention + squares * tokens) + head

    let batch = Double(max(1, DecoderBlock.tokensPerBatch / length) * length)
    let width = Double(
      8 * decoder.hiddenSize + 6 * decoder.innerSize + 10 * decoder.heads * decoder.headSize
    )
    let kept = (blocks + 1) * tokens * Double(decoder.hiddenSize)
    let embedding = Double(decoder.vocabulary) * Double(decoder.hiddenSize)
    memory = 4 * (kept + max(embedding, weights + 2 * squares + batch * width))
    disk = 4 * blocks * orders.reduce(0) { $0 + $1 * ($1 + 1) / 2 } + 8 * tokens
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
