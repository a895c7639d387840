import ExactJSON
public import Foundation
import LinearAlgebra
import Safetensors
import Tensors
import Transformer

/// What ``merge(_:progress:)`` is asked to do.
public struct MergeOptions: Sendable {
  /// The statistics directories of all shards, in any order.
  public var shards: [URL]
  /// The statistics directory to write.
  public var output: URL
  /// Whether an existing statistics directory is replaced.
  public var overwrite: Bool

  /// A merger of shards.
  public init(shards: [URL], output: URL, overwrite: Bool = false) {
    self.shards = shards
    self.output = output
    self.overwrite = overwrite
  }
}

/// Makes the statistics of one calibration from those of its shards.
///
/// Memory is one factor, whatever the number of shards and blocks. An interrupted run continues
/// where it stopped when it is called again with the same options.
///
/// - Parameters:
///   - options: The shards, and where the statistics go.
///   - progress: Hears how it goes on.
/// - Returns: What was measured, by all shards together.
/// - Throws: ``JobError`` if the shards do not belong together or are not all there, or an error of
///   the files.
public func merge(
  _ options: MergeOptions,
  progress: any ProgressListener = SilentProgress()
) throws -> CalibrationSummary {
  try checkOutput(
    options.output,
    mark: StatisticsManifest.fileName,
    overwrite: options.overwrite
  )
  let shards = try ShardSet(options.shards)
  var manifest = shards.manifest
  manifest.loss = try shards.loss()
  let blocks = manifest.blocks
  // What is missing shall be missed before hours of reading.
  for member in shards.members { for block in blocks { _ = try block.open(in: member.folder) } }
  let folder = try UnfinishedFolder(for: options.output, identity: shards.identity)
  try folder.run {
    try shards.windows.write(to: folder.url.appending(path: StatisticsManifest.tokensFile))
    progress.begin("merging \(shards.members.count) shards", total: blocks.count, unit: "blocks")
    for (number, block) in blocks.enumerated() {
      if !block.isThere(in: folder.url) { try shards.merge(block, into: folder.url) }
      progress.advance(to: number + 1)
    }
    progress.end()
    try manifest.write(into: folder.url)
    try folder.become(
      options.output,
      mark: StatisticsManifest.fileName,
      overwrite: options.overwrite
    )
  }
  return CalibrationSummary(manifest, output: options.output)
}

extension ShardSet {
  /// Writes the factors of a block, one factor in memory at a time.
  fileprivate func merge(_ block: BlockFactors, into folder: URL) throws {
    let files = try members.map { try block.open(in: $0.folder) }
    let tensors = block.factors.map { name, order in
      SafetensorsWriter.Tensor(
        name,
        BlockFactors.description(order: order),
        floats: {
          var mean = WeightedMean(count: PackedTriangle.count(order: order))
          for (file, member) in zip(files, members) {
            mean.add(try file.floats(name), positions: member.manifest.positions)
          }
          let entries = mean.mean()
          guard isFinite(entries.span) else {
            throw JobError.notFinite("the factor \(name)")
          }
          return entries
        }
      )
    }
    try SafetensorsWriter.write(tensors, to: folder.appending(path: block.fileName).path)
  }
}
