public import Foundation

/// How many windows are calibrated on, and which.
public struct WindowChoice: Sendable, Equatable {
  /// The number of windows; nil for 128 of a text and all rows of a token file.
  public var samples: Int?
  /// The tokens of a window; nil for 2048 or what the model takes, or a token file's row.
  public var length: Int?
  /// The seed of the windows and of sampled labels.
  public var seed: UInt64

  /// The windows of one seed.
  public init(samples: Int? = nil, length: Int? = nil, seed: UInt64 = 100) {
    self.samples = samples
    self.length = length
    self.seed = seed
  }
}

/// What ``calibrate(_:progress:)`` is asked to do.
public struct CalibrationOptions: Sendable {
  /// A directory, or `org/name` in the local Hugging Face cache.
  public var model: String
  /// Where the tokens come from.
  public var input: TokenInput
  /// Which windows of them.
  public var windows: WindowChoice
  /// Where the labels come from.
  public var labels: CalibrationLabels
  /// What may be kept in memory.
  public var memory: CalibrationMemory
  /// The part of the windows that is calibrated on; nil for all.
  public var shard: CalibrationShard?
  /// In what products with weights are computed.
  public var compute: ComputePrecision
  /// The statistics directory to write.
  public var output: URL
  /// Whether an existing statistics directory is replaced.
  public var overwrite: Bool

  /// A calibration of a model on some tokens.
  public init(
    model: String,
    input: TokenInput,
    windows: WindowChoice = WindowChoice(),
    labels: CalibrationLabels = .empirical,
    memory: CalibrationMemory = CalibrationMemory(),
    shard: CalibrationShard? = nil,
    compute: ComputePrecision = .float32,
    output: URL,
    overwrite: Bool = false
  ) {
    self.model = model
    self.input = input
    self.windows = windows
    self.labels = labels
    self.memory = memory
    self.shard = shard
    self.compute = compute
    self.output = output
    self.overwrite = overwrite
  }
}

/// What a calibration found.
public struct CalibrationSummary: Sendable, Equatable {
  /// The number of windows.
  public let sequences: Int
  /// The tokens of each.
  public let length: Int
  /// The number of linear layers measured.
  public let layers: Int
  /// The mean cross entropy on the windows, in nats per predicted token.
  public let loss: Double
  /// The statistics directory.
  public let output: URL

  /// What a finished manifest says.
  init(_ manifest: StatisticsManifest, output: URL) {
    sequences = manifest.sequences
    length = manifest.length
    layers = manifest.layers.count
    loss = manifest.loss ?? .nan
    self.output = output
  }

  /// A sentence for a person.
  public var text: String {
    let perplexity = String(format: "%.3f", exp(loss))
    let loss = String(format: "%.4f", loss)
    return """
      \(layers) layers measured on \(sequences) × \(length) tokens; \
      loss \(loss) nats per token (perplexity \(perplexity))
      statistics: \(output.relativePath)
      """
  }
}
