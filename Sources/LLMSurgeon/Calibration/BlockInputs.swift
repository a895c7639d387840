import Foundation
import Tensors

/// The inputs of a model's blocks, a plane for each, as far as a forward pass has come.
struct BlockInputs {
  /// Where they are.
  var store: ActivationStore
  /// The planes that are complete, from the first on.
  private(set) var complete = 0
  /// The file that outlives an interruption; nil for memory and for files without a name.
  private var file: HiddenStateFile?

  /// Inputs that do not outlive the process.
  init(store: ActivationStore) { self.store = store }

  /// Inputs in a file that outlives the process, with what an interrupted pass left of them.
  ///
  /// - Parameters:
  ///   - folder: The folder of the pass.
  ///   - shape: What will be kept.
  ///   - precision: How numbers are kept.
  /// - Throws: `FileError` if there is no room for the file.
  init(
    continuedIn folder: URL,
    shape: ActivationStore.Shape,
    precision: ScratchPrecision
  ) throws {
    let file = HiddenStateFile(folder: folder)
    complete = min(shape.planes, file.load())
    store = ActivationStore(
      shape,
      precision: precision,
      file: try ScratchFile(named: file.path, byteCount: shape.count * precision.byteCount)
    )
    self.file = file
  }

  /// Notes that the input of a block is complete, as those before it are.
  mutating func finish(_ block: Int) throws {
    complete = block + 1
    guard let file else { return }
    try store.synchronize()
    try file.save(complete)
  }
}
