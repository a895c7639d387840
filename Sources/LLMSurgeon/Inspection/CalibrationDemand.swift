import ExactJSON
import Report
import Tensors
import Transformer

/// What a calibration will need, counted from the shapes.
public struct CalibrationDemand: Sendable, Equatable {
  /// The number of windows.
  public let samples: Int
  /// The tokens of each.
  public let length: Int
  /// The floating-point operations of all matrix products.
  public let operations: Double
  /// The largest resident memory with everything in memory, in bytes, mapped weights not counted.
  public let memory: Double
  /// The same with the inputs of blocks and the gradient in a scratch file.
  public let memoryWithScratch: Double
  /// The size of that file, in bytes.
  public let scratch: Double
  /// The bytes of the weights, which are mapped: they are resident as long as there is room.
  public let mapped: Double
  /// The size of the statistics directory, in bytes.
  public let disk: Double
  /// The time in seconds: from a part of the work, or at this machine's rate of matrix products.
  public let seconds: Double
  /// Whether a part of the work was measured; if not, the time is a lower bound.
  public let isTimeMeasured: Bool

  /// Where the time comes from.
  enum Time {
    /// The machine's rate of matrix products, in operations a second.
    case rate(Double)
    /// What was estimated from a part of the work.
    case seconds(Double)
  }

  /// Counts what a calibration needs.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - samples: The number of windows.
  ///   - length: The tokens of each.
  ///   - precision: How hidden states and gradients are kept.
  ///   - time: Where the time comes from.
  init(
    of model: DecoderModel,
    samples: Int,
    length: Int,
    precision: ScratchPrecision,
    time: Time
  ) {
    let decoder = model.decoder
    let tokens = Double(samples) * Double(length)
    let blocks = (0..<decoder.blocks).map { BlockFootprint(of: model, block: $0) }
    let head = 4 * Double(decoder.vocabulary) * Double(decoder.hiddenSize) * tokens
    operations = blocks.reduce(head) { $0 + $1.operations(tokens: tokens, length: length) }
    let footprint = CalibrationFootprint(
      of: model,
      samples: samples,
      length: length,
      precision: precision
    )
    memory = footprint.inMemory
    memoryWithScratch = footprint.working
    scratch = footprint.kept
    mapped = model.source.names.reduce(0) {
      $0 + Double(model.source.description(of: $1)?.byteCount ?? 0)
    }
    disk = 4 * blocks.reduce(0) { $0 + $1.packedNumbers } + 8 * tokens
    switch time {
    case .rate(let rate): (seconds, isTimeMeasured) = (operations / rate, false)
    case .seconds(let measured): (seconds, isTimeMeasured) = (measured, true)
    }
    self.samples = samples
    self.length = length
  }

  /// A paragraph for a person.
  var text: String {
    """
    A calibration on \(samples) × \(length) tokens needs about \
    \(Quantity.bytes(wholeNumber(memory))) of memory, or \
    \(Quantity.bytes(wholeNumber(memoryWithScratch))) and \
    \(Quantity.bytes(wholeNumber(scratch))) of scratch space (--memory); besides, up to \
    \(Quantity.bytes(wholeNumber(mapped))) of mapped weights. It leaves \
    \(Quantity.bytes(wholeNumber(disk))) of statistics, and takes \
    \(Quantity.fixed(operations / 1e12, decimals: 2)) TFLOP, \
    and \(isTimeMeasured ? "about" : "at least") \(Quantity.duration(seconds: seconds)) on this machine.
    """
  }

  var json: JSONValue {
    [
      "samples": JSONValue(samples), "length": JSONValue(length),
      "operations": JSONValue(operations), "memoryBytes": JSONValue(wholeNumber(memory)),
      "memoryWithScratchBytes": JSONValue(wholeNumber(memoryWithScratch)),
      "scratchBytes": JSONValue(wholeNumber(scratch)),
      "mappedBytes": JSONValue(wholeNumber(mapped)),
      "diskBytes": JSONValue(wholeNumber(disk)), "seconds": JSONValue(seconds),
      "timeIsMeasured": .bool(isTimeMeasured),
    ]
  }
}

extension BlockFootprint {
  /// The floating-point operations: forward, the forward again from the kept input, the gradients of
  /// the inputs; then the factors.
  func operations(tokens: Double, length: Int) -> Double {
    // Causal attention computes half of the scores; forward, recomputed, and five products back.
    let attention = heads * Double(length) * tokens * (2 + 2 + 5)
    return 6 * weights * tokens + attention + squares * tokens
  }
}
