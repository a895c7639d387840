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

  /// The unfinished folder of the run.
  let folder: URL

  private static let prefix = "window-"
  private static let suffix = ".safetensors"

  /// The windows that are done.
  var done: Int { numbers().last ?? 0 }

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
    let older = numbers()
    try SafetensorsWriter.write(
      tensors,
      metadata: ["record": String(decoding: JSONWriter.write(record), as: UTF8.self)],
      to: file(done).path
    )
    for number in older where number != done {
      try? FileManager.default.removeItem(at: file(number))
    }
  }

  /// Reads the last state; nil if there is none.
  func last() throws -> State? {
    guard let number = numbers().last else { return nil }
    let saved = try SafetensorsFile(path: file(number).path)
    guard let text = saved.metadata["record"],
      case let record = try JSONParser.parse(Array(text.utf8)),
      let windows = record["windows"]?.array,
      case let records = windows.compactMap({ ReconstructionReport.Window(json: $0) }),
      records.count == windows.count
    else {
      throw JobError.unreadable(
        path: file(number).relativePath,
        reason: "the saved state is damaged"
      )
    }
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

  private func file(_ number: Int) -> URL {
    folder.appending(path: "\(Self.prefix)\(number)\(Self.suffix)")
  }

  private func numbers() -> [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix(Self.prefix), name.hasSuffix(Self.suffix) else { return nil }
      return Int(name.dropFirst(Self.prefix.count).dropLast(Self.suffix.count))
    }.sorted()
  }
}
