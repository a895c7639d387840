import Checkpoint
import ExactJSON
import Foundation
import Safetensors
import Tensors
import Transformer

/// Measures the curvature of every linear layer of a model and leaves it as a statistics directory.
///
/// Memory is one block's weights, activations and factors, and the inputs of all blocks, which go to a
/// scratch file when they do not fit. An
/// interrupted run continues where it stopped when it is called again with the same options, and
/// ends with the same bytes.
///
/// - Parameters:
///   - options: The model, the tokens, and where the statistics go.
///   - progress: Hears how it goes on.
/// - Returns: What was measured.
/// - Throws: ``JobError``, or an error of the model, tokenizer or files, each one line of text.
public func calibrate(
  _ options: CalibrationOptions,
  progress: any ProgressListener = SilentProgress()
) throws -> CalibrationSummary {
  try checkOutput(
    options.output,
    mark: StatisticsManifest.fileName,
    overwrite: options.overwrite
  )
  let opened = try OpenedModel(options.model)
  var (manifest, windows) = try opened.calibration(options)
  let folder = try UnfinishedFolder(for: options.output, identity: manifest.json)
  try folder.run {
    try manifest.measure(
      opened.model,
      windows,
      memory: options.memory,
      into: folder.url,
      progress: progress
    )
    try folder.become(
      options.output,
      mark: StatisticsManifest.fileName,
      overwrite: options.overwrite
    )
  }
  return CalibrationSummary(manifest, output: options.output)
}

extension OpenedModel {
  /// The manifest of a calibration that is still to be made, and its windows.
  func calibration(_ options: CalibrationOptions) throws -> (StatisticsManifest, TokenWindows) {
    try options.compute.check()
    var windows = try calibrationWindows(options.input, options.windows)
    var record: ShardRecord?
    if let shard = options.shard { (windows, record) = try windows.part(shard) }
    var manifest = StatisticsManifest(
      of: model,
      family: configuration.modelType,
      fingerprint: try fingerprint(),
      windows: windows,
      labels: options.labels,
      precision: options.memory.precision,
      compute: options.compute,
      seed: options.windows.seed
    )
    manifest.shard = record
    return (manifest, windows)
  }

  /// The windows to calibrate on.
  func calibrationWindows(_ input: TokenInput, _ choice: WindowChoice) throws -> TokenWindows {
    try input.drawWindows(
      samples: choice.samples,
      length: choice.length,
      longest: usualLength,
      seed: choice.seed,
      tokenizer: directoryURL
    )
  }

  /// A hash of the configuration and of all weights.
  func fingerprint() throws -> String { try directory.fingerprint().description }
}

extension StatisticsManifest {
  /// The file with the windows' tokens, so that losses can be measured on them again.
  static let tokensFile = "tokens.safetensors"

  /// The manifest of a calibration that is still to be made.
  init(
    of model: DecoderModel,
    family: String,
    fingerprint: String,
    windows: TokenWindows,
    labels: CalibrationLabels,
    precision: ScratchPrecision,
    compute: ComputePrecision,
    seed: UInt64
  ) {
    self.init(
      modelFingerprint: fingerprint,
      family: family,
      dataFingerprint: windows.fingerprint,
      dataSource: windows.source,
      sequences: windows.count,
      length: windows.length,
      starts: windows.starts,
      labels: labels,
      activations: precision,
      compute: compute,
      seed: seed,
      loss: nil,
      layers: model.linears.map { linear in
        Layer(
          name: linear.name,
          block: linear.block,
          kind: linear.kind,
          outputs: linear.outputs,
          inputs: linear.inputs,
          hasBias: linear.hasBias,
          inputGroup: linear.inputGroup
        )
      }
    )
  }

  /// Makes the calibration, or finishes one that was interrupted, and writes the manifest last.
  ///
  /// - Parameters:
  ///   - model: The model, with the weights at which the curvature is measured.
  ///   - windows: The windows that the manifest names.
  ///   - memory: What may be kept in memory.
  ///   - folder: Where the files go.
  ///   - progress: Hears how it goes on.
  /// - Throws: What the calibration and writing throw.
  mutating func measure(
    _ model: DecoderModel,
    _ windows: TokenWindows,
    memory: CalibrationMemory,
    into folder: URL,
    progress: any ProgressListener
  ) throws {
    try windows.write(to: folder.appending(path: Self.tokensFile))
    if let note = compute.note { progress.note(note) }
    let run = run(model, windows, memory: memory, folder: folder)
    loss = try run.finish(writing: FactorFiles(folder: folder, blocks: blocks), progress: progress)
    try write(into: folder)
    run.removeState()
  }

  /// The run that makes the calibration.
  ///
  /// - Parameters:
  ///   - model: The model, with the weights at which the curvature is measured.
  ///   - windows: The windows that the manifest names.
  ///   - memory: What may be kept in memory.
  ///   - folder: Where its state lies.
  /// - Returns: The run, which looks at the manifest no more.
  func run(
    _ model: DecoderModel,
    _ windows: TokenWindows,
    memory: CalibrationMemory,
    folder: URL
  ) -> CalibrationRun {
    CalibrationRun(
      model: model.multiplying(in: compute.products),
      windows: windows,
      firstSequence: shard?.range.lowerBound ?? 0,
      labels: labels == .sampled ? .model(seed: seed) : .text,
      memory: memory,
      folder: folder
    )
  }
}

extension TokenWindows {
  /// Writes the windows as a token file: an integer tensor `tokens`, `[sequences, length]`.
  func write(to file: URL) throws {
    let bytes = tokens.flatMap { token in
      (0..<8).map { UInt8(truncatingIfNeeded: token >> (8 * $0)) }
    }
    let tensor = SafetensorsWriter.Tensor(
      "tokens",
      TensorDescription(elementType: .int64, shape: [count, length]),
      bytes: { bytes }
    )
    try SafetensorsWriter.write([tensor], to: file.path)
  }
}
