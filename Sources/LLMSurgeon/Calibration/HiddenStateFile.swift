import ExactJSON
import Foundation
import Tensors

/// The scratch file with the inputs of the blocks, where it lies in the folder of the run: it outlives
/// an interruption, and so does the forward pass.
struct HiddenStateFile {
  /// The name of the scratch file; worth nothing without the record beside it.
  static let name = "hidden.scratch"
  private static let recordName = "hidden.json"

  /// The folder of the run.
  let folder: URL

  /// Where the scratch file is.
  var path: String { folder.appending(path: Self.name).path }
  private var record: String { folder.appending(path: Self.recordName).path }

  /// How many blocks' inputs an interrupted run left in the file; none if it is not the same file.
  func load() -> Int {
    guard let bytes = try? Data(contentsOf: URL(filePath: record)),
      let document = try? JSONParser.parse([UInt8](bytes)),
      let blocks = document["blocks"]?.integer, blocks > 0,
      let size = document["bytes"]?.integer, size == self.size
    else {
      // What is written from now on is not what the record speaks of.
      try? FileManager.default.removeItem(atPath: record)
      return 0
    }
    return blocks
  }

  /// Says that the inputs of the first blocks are in the file, on the disk.
  ///
  /// - Parameter blocks: How many blocks.
  /// - Throws: `FileError`.
  func save(_ blocks: Int) throws {
    let document: JSONValue = ["blocks": JSONValue(blocks), "bytes": JSONValue(size ?? 0)]
    try write(JSONWriter.write(document, indent: 2), to: record)
  }

  /// Removes the files of a run that is finished.
  func remove() {
    for path in [record, path] { try? FileManager.default.removeItem(atPath: path) }
  }

  private var size: Int? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.size] as? NSNumber)?.intValue
  }
}
