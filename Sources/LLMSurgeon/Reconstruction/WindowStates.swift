import ExactJSON
import Foundation
import Report
import Safetensors
import Tensors

/// The states that an unfinished reconstruction leaves, one after each window.
struct WindowStates {
  /// What a reconstruction needs to go on.
  struct State {
    /// The windows that are done.
    let done: Int
    let fitted: MemoryTensors
    let records: [ReconstructionReport.Window]
    let lossBefore: Double?
  }

  private let files: NumberedFiles

  /// The states in the unfinished folder of a run.
  init(folder: URL) { files = NumberedFiles(folder: folder, prefix: "window-") }

  /// The windows that are done.
  var done: Int { files.last ?? 0 }

  /// Writes a state, and removes those before it.
  func save(
    _ done: Int,
    _ fitted: MemoryTensors,
    _ records: [ReconstructionReport.Window],
    lossBefore: Double?
  ) throws {
    let tensors = try fitted.names.map { name in
      let bytes = try fitted.bytes(name)
      return SafetensorsWriter.Tensor(name, try fitted.existing(name), bytes: { bytes })
    }
    let record: JSONValue = [
      "windows": .array(records.map(\.json)),
      "lossBefore": lossBefore.map { JSONValue($0) } ?? .null,
    ]
    try files.replace(with: done) {
      try SafetensorsWriter.write(
        tensors,
        metadata: ["record": String(decoding: JSONWriter.write(record), as: UTF8.self)],
        to: $0
      )
    }
  }

  /// Reads the last state; nil if there is none.
  func last() throws -> State? {
    guard let number = files.last else { return nil }
    let saved = try SafetensorsFile(path: files.file(number).path)
    guard let text = saved.metadata["record"],
      case let record = try JSONParser.parse(Array(text.utf8)),
      let windows = record["windows"]?.array,
      case let records = windows.compactMap({ ReconstructionReport.Window(json: $0) }),
      records.count == windows.count
    else { throw files.damaged(number) }
    var fitted = MemoryTensors()
    for name in saved.names {
      try fitted.set(name, try saved.existing(name), bytes: try saved.bytes(name))
    }
    return State(
      done: number,
      fitted: fitted,
      records: records,
      lossBefore: record["lossBefore"]?.double
    )
  }
}
