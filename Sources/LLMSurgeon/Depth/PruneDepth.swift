import Checkpoint
import Export
import Foundation
import Report
import Tensors
import Transformer

/// Removes whole blocks, or attention and feed-forward parts of blocks, and writes the model that is
/// left: fewer blocks, numbered anew, and zeros or smaller sizes in the place of single parts.
///
/// - Parameters:
///   - options: The model, what to remove, and where the result goes.
///   - progress: Hears how it goes on.
/// - Returns: What was removed and what it cost; the same lies beside the checkpoint.
/// - Throws: ``JobError``, or an error of the model or files, each one line of text.
public func pruneDepth(
  _ options: DepthPruneOptions,
  progress: any ProgressListener = SilentProgress()
) throws -> DepthReport {
  try checkOutput(
    options.output,
    mark: ModelDirectory.configurationName,
    overwrite: options.overwrite
  )
  let opened = try OpenedModel(options.model)
  try options.check(blocks: opened.model.decoder.blocks)
  if let profile = options.profile { try HuggingFaceExport.check(profile, opened.configuration) }
  try checkPlace(options.output, overwrite: options.overwrite, apartFrom: opened.directory)
  let run = try DepthPruneRun(options, opened)
  return try run.finish(progress: progress)
}

/// One removal of blocks or parts.
private struct DepthPruneRun {
  let options: DepthPruneOptions
  let opened: OpenedModel
  let windows: TokenWindows?
  let evaluator: DepthEvaluator?

  init(_ options: DepthPruneOptions, _ opened: OpenedModel) throws {
    self.options = options
    self.opened = opened
    windows = try options.input.map { try opened.calibrationWindows($0, options.windows) }
    evaluator = try windows.map { try DepthEvaluator(opened.model, $0) }
  }

  /// Chooses, writes, and reports.
  func finish(progress: any ProgressListener) throws -> DepthReport {
    let selection = DepthSelection(options: options, model: opened.model, evaluator: evaluator)
    let units = try selection.units(progress: progress)
    let mask = DepthMask(blocks: opened.model.decoder.blocks, without: units)
    let folded = try fold(under: mask, progress: progress)
    let fewer = try FewerBlocks(
      opened.directory,
      opened.model(with: try weights(under: mask, folded.weights)),
      keeping: mask.running
    )
    let fingerprint = try opened.fingerprint()
    let source = HuggingFaceExport.Source(
      fewer.directory,
      fewer.configuration,
      model: fewer.model,
      fingerprint: fingerprint
    )
    let profile = profile(under: mask)
    var export = try HuggingFaceExport(source, as: profile, changes: changes)
    let report = DepthReport(
      model: opened.recordedName,
      fingerprint: fingerprint,
      options: options,
      removed: units,
      mask: mask,
      profile: profile,
      sizes: try DepthReport.Sizes(opened, written: fewer, export.changes),
      losses: try losses(of: fewer.model, progress: progress),
      notes: folded.notes + export.notes
    )
    export.addFile(DepthReport.fileName, report.file)
    try export.write(fewer.directory, to: options.output, overwrite: options.overwrite)
    for note in report.notes { progress.note(note) }
    return report
  }

  private func losses(
    of written: DecoderModel,
    progress: any ProgressListener
  ) throws -> DepthReport.Losses? {
    guard let windows else { return nil }
    return DepthReport.Losses(
      before: try opened.model.meanLoss(windows, progress: progress),
      after: try written.meanLoss(windows, progress: progress),
      windows: windows
    )
  }

  /// New weights that make up for what is gone.
  private func fold(
    under mask: DepthMask,
    progress: any ProgressListener
  ) throws -> DepthFold.Result {
    if options.emulation == .merge { return try DepthMerge(model: opened.model, mask: mask).run() }
    guard let kind = options.emulation.kind, let windows else { return DepthFold.Result() }
    let fold = DepthFold(model: opened.model, mask: mask, windows: windows, kind: kind)
    return try fold.run(progress: progress)
  }

  /// The weights of the whole model, with newer ones in front of them and zeros in the parts that go
  /// from blocks that stay.
  private func weights(
    under mask: DepthMask,
    _ newer: MemoryTensors
  ) throws -> any TensorSource {
    var front = newer
    for block in mask.running where mask[block] != .all {
      let gone = BlockParts.all.subtracting(mask[block])
      for linear in opened.model.linears(of: gone, block: block) {
        for name in [linear.weight] + (linear.bias.map { [$0] } ?? []) {
          let description = try opened.directory.tensors.existing(name)
          let zeros = [UInt8](repeating: 0, count: description.byteCount)
          try front.set(name, description, bytes: zeros)
        }
      }
    }
    return OverlayTensors(base: opened.directory.tensors, front: front, isRounded: true)
  }

  /// The shapes to write: blocks leave the others as they are; parts are left out where that has a
  /// shape.
  private func profile(under mask: DepthMask) -> Profile {
    if let profile = options.profile { return profile }
    let gone = mask.running.reduce(into: BlockParts()) {
      $0.formUnion(BlockParts.all.subtracting(mask[$1]))
    }
    return .standard(withoutPartsOfBlocks: gone, opened.configuration)
  }

  private var changes: CheckpointChanges {
    var changes = CheckpointChanges()
    changes.configuration = .legacyRotary(opened.directory.configuration)
    return changes
  }
}

extension Profile {
  /// The profile in which a model without some parts of its blocks is written unless another is
  /// asked for: the one that leaves most of them out of the files.
  fileprivate static func standard(
    withoutPartsOfBlocks parts: BlockParts,
    _ configuration: ModelConfiguration
  ) -> Profile {
    guard !parts.isEmpty, let sizes = WrittenSizes(.perLayer, configuration) else { return .masked }
    // Whether some block of one head and one neuron is written as small as that.
    let whole = configuration.decoder.blockShapes[0]
    let least = BlockShape(
      heads: parts.contains(.attention) ? 1 : whole.heads,
      keyValueHeads: parts.contains(.attention) ? 1 : whole.keyValueHeads,
      innerSize: parts.contains(.feedForward) ? 1 : whole.innerSize
    )
    return sizes.shape(holding: least, block: 0) == whole ? .masked : .perLayer
  }
}

extension DepthReport.Sizes {
  /// The sizes of a model and of what is written in its place.
  init(
    _ opened: OpenedModel,
    written: FewerBlocks,
    _ changes: CheckpointChanges
  ) throws {
    let before = try CheckpointWriter.size(of: opened.directory)
    let after = try CheckpointWriter.size(of: written.directory, changes)
    parameters = DepthReport.Change(before: before.parameters, after: after.parameters)
    bytes = DepthReport.Change(before: before.bytes, after: after.bytes)
    let document = changes.configuration.applied(to: written.directory.configuration)
    let decoder = try ModelConfiguration(config: document).decoder
    let key = opened.model.linears.first { $0.role == .key }
    let element = key.flatMap { opened.directory.tensors.description(of: $0.weight) }?.elementType
    keyValueBytesPerToken = DepthReport.Change(
      before: opened.model.decoder.keyValueElements * (element?.byteCount ?? 0),
      after: decoder.keyValueElements * (element?.byteCount ?? 0)
    )
  }
}

extension DecoderDescription {
  /// The keys and values of one token, all blocks together.
  fileprivate var keyValueElements: Int {
    blockShapes.reduce(0) { $0 + 2 * $1.keyValueHeads * headSize }
  }
}
