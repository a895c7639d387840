import Foundation
import Safetensors

/// Where a calibration puts the factors of its blocks, from the last block to the first.
protocol FactorDestination {
  /// Decides, once and before any factors, whether the run goes on where an earlier one stopped.
  ///
  /// - Parameter block: The next block of the earlier run; nil if there was none.
  /// - Returns: Whether the saved state counts; if not, the run begins anew.
  /// - Throws: ``JobError`` if what was kept of later blocks is gone.
  mutating func canContinue(at block: Int?) throws -> Bool

  /// Keeps the factors of a block for good.
  ///
  /// - Parameters:
  ///   - tensors: The packed triangles; each is made when it is asked for.
  ///   - block: The number of the block.
  /// - Throws: What making and writing them throw.
  mutating func keep(_ tensors: [SafetensorsWriter.Tensor], block: Int) throws
}

/// The factors of one process's calibration, a file for each block.
struct FactorFiles: FactorDestination {
  /// Where the files lie.
  let folder: URL
  /// What the file of each block holds.
  let blocks: [BlockFactors]

  func canContinue(at block: Int?) throws -> Bool {
    guard let block else { return false }
    for later in blocks.dropFirst(block + 1) {
      guard (try? later.open(in: folder)) != nil else {
        throw JobError.damagedRemains(
          path: folder.relativePath,
          reason: "\(later.fileName), which was written, is missing or damaged"
        )
      }
    }
    return true
  }

  func keep(_ tensors: [SafetensorsWriter.Tensor], block: Int) throws {
    try SafetensorsWriter.write(
      tensors,
      to: folder.appending(path: blocks[block].fileName).path
    )
  }
}
