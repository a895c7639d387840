import Foundation
import MessagePassing
import Pruning
import Safetensors
import Tensors

/// The work of a shot that is not complete yet, in files: one for each layer and stage.
///
/// The files are not forced to the disk: after a failure of power a few layers are computed again.
struct ShotJournal: RunJournal {
  /// The folder of the shot's work; made when there is something to keep.
  let folder: URL
  let ranks: (any RankGroup)?

  /// The work in a folder, of one process or of ranks that all see the folder.
  init(folder: URL, ranks: (any RankGroup)? = nil) {
    self.folder = folder
    self.ranks = ranks
  }

  func record(_ name: RecordName) -> RunRecord? {
    let path = file(name).path
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return (try? SafetensorsFile(path: path)).flatMap { try? RunRecord($0) }
  }

  func keep(_ record: RunRecord, as name: RecordName) throws {
    // The run's folder is not made again after the first rank has removed it.
    try makeOnlyDirectory(folder)
    try makeOnlyDirectory(folder(of: name.stage))
    try SafetensorsWriter.write(record.tensors, to: file(name).path, isFlushed: false)
  }

  func remove(_ stage: RecordName.Stage) {
    try? FileManager.default.removeItem(at: folder(of: stage))
  }

  private func file(_ name: RecordName) -> URL {
    folder(of: name.stage).appending(path: "layer-\(name.layer).safetensors")
  }

  private func folder(of stage: RecordName.Stage) -> URL {
    let name =
      switch stage {
      case .pass(let number): "pass-\(number)"
      case .choice(let number): "choice-\(number)"
      case .path: "paths"
      case .outcome: "outcomes"
      }
    return folder.appending(path: name, directoryHint: .isDirectory)
  }
}

extension RunRecord {
  /// The lists as tensors, whose element types tell them apart.
  fileprivate var tensors: [SafetensorsWriter.Tensor] {
    floats.map { Self.tensor("floats", $0, .float32, $1) }
      + doubles.map { Self.tensor("doubles", $0, .float64, $1) }
      + words.map { Self.tensor("words", $0, .uint64, $1) }
  }

  /// Reads what ``tensors`` were written of.
  ///
  /// - Parameter file: The file.
  /// - Throws: `TensorError` if a tensor is not of the type of its list.
  fileprivate init(_ file: SafetensorsFile) throws {
    self.init()
    for tensor in file.names {
      let parts = tensor.description.split(separator: "/", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { throw TensorError.missing(tensor) }
      let name = parts[1]
      try file.withBytes(tensor) { bytes in
        switch parts[0] {
        case "floats": floats[name] = Self.numbers(bytes)
        case "doubles": doubles[name] = Self.numbers(bytes)
        case "words": words[name] = Self.numbers(bytes)
        default: throw TensorError.missing(tensor)
        }
      }
    }
  }

  private static func tensor<Number: BitwiseCopyable>(
    _ list: String,
    _ name: String,
    _ type: ElementType,
    _ numbers: [Number]
  ) -> SafetensorsWriter.Tensor {
    let shape = TensorDescription(elementType: type, shape: [numbers.count])
    return SafetensorsWriter.Tensor(TensorName("\(list)/\(name)"), shape) {
      // SAFETY: numbers have no padding.
      unsafe numbers.withUnsafeBytes { unsafe Array($0) }
    }
  }

  /// Numbers of a size that divides that of the bytes.
  private static func numbers<Number: BitwiseCopyable>(_ bytes: RawSpan) -> [Number] {
    let size = MemoryLayout<Number>.size
    return (0..<bytes.byteCount / size).map {
      // SAFETY: every bit pattern is a number of these types, and the offset is within the bytes.
      unsafe bytes.unsafeLoadUnaligned(fromByteOffset: $0 * size, as: Number.self)
    }
  }
}
