import Foundation
import LinearAlgebra
import Report
import Transformer

extension GradientPass {
  /// Removes the state of a resumable pass that is finished.
  static func removeState(in folder: URL) {
    CalibrationStateFile.remove(in: folder)
    HiddenStateFile(folder: folder).remove()
  }

  func stateFile(_ shape: ActivationStore.Shape) -> CalibrationStateFile {
    CalibrationStateFile(folder: folder, shape: shape, blocks: mask.count)
  }

  /// What lies between the passes.
  struct Kept {
    /// The inputs of the blocks, a plane for each.
    var inputs: BlockInputs
    /// `∂loss/∂(output of the next block)` in plane 0; before that is known, the last block's output.
    var gradient: ActivationStore
  }

  /// The rows of the hidden state that go through a block together, whole windows.
  var batches: [Range<Int>] {
    DecoderBlock.batchRanges(rows: windows.tokens.count, length: windows.length)
  }

  func store(planes: Int, _ directory: String?) throws -> ActivationStore {
    try ActivationStore(
      ActivationStore.Shape(batches: batches, width: model.decoder.hiddenSize, planes: planes),
      precision: memory.precision,
      directory: directory
    )
  }

  /// The inputs of blocks, with what an interrupted pass left of them.
  func inputs(planes: Int, _ scratch: Scratch?) throws -> BlockInputs {
    guard let scratch, scratch.isOwn else {
      return BlockInputs(store: try store(planes: planes, scratch?.directory))
    }
    return try BlockInputs(
      continuedIn: folder,
      shape: try store(planes: planes, nil).shape,
      precision: memory.precision
    )
  }

  /// Where scratch files lie.
  struct Scratch {
    let directory: String
    /// Whether that is the folder of a resumable pass.
    let isOwn: Bool
  }

  /// Where the scratch files go; nil if all fits in memory.
  func scratch(progress: any ProgressListener) throws -> Scratch? {
    let footprint = CalibrationFootprint(
      of: model,
      samples: windows.count,
      length: windows.length,
      precision: memory.precision
    )
    guard try footprint.needsScratch(limit: memory.bytes) else { return nil }
    let directory = memory.scratch ?? folder
    let size = Quantity.bytes(wholeNumber(footprint.kept))
    progress.note("keeping \(size) of hidden states in \(directory.relativePath)")
    return Scratch(directory: directory.path, isOwn: isResumable && memory.scratch == nil)
  }
}
