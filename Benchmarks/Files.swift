import DemonstrationModel
import Foundation
import Safetensors
import Tensors
import Tokenization

/// Adds the figures of reading and writing.
func measureFiles(_ board: inout Scoreboard) throws {
  try measureTokenizer(&board)
  try measureSafetensors(&board)
}

private func measureTokenizer(_ board: inout Scoreboard) throws {
  let tokenizer = try Tokenizer.load(directory: DemonstrationModel.directory)
  let text = [UInt8](try Data(contentsOf: DemonstrationModel.calibrationText))
  let seconds = try board.time { _ = try tokenizer.encode(text) }
  board.add(
    Figure(
      name: "tokenizer, one thread",
      seconds: seconds,
      rate: (Double(text.count) / 1e6 / seconds, "MB/s"),
      floor: nil
    )
  )
}

private func measureSafetensors(_ board: inout Scoreboard) throws {
  let count = 1 << 26
  let bytes = Double(count * MemoryLayout<Float>.size)
  let numbers = [Float](repeating: 1, count: count)
  let description = TensorDescription(elementType: .float32, shape: [count])
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "surgeon-bench-\(ProcessInfo.processInfo.processIdentifier)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let path = folder.appending(path: "numbers.safetensors").path
  // Copying in memory is what neither can be faster than.
  var copy = numbers
  let copying = board.time {
    for index in copy.indices { copy[index] = numbers[index] }
  }
  let writing = try board.time {
    try SafetensorsWriter.write(
      [SafetensorsWriter.Tensor("numbers", description, floats: { numbers })],
      to: path
    )
  }
  let reading = try board.time {
    _ = try SafetensorsFile(path: path).floats("numbers")
  }
  for (name, seconds) in [("writing", writing), ("reading", reading)] {
    board.add(
      Figure(
        name: "safetensors, \(name) float32",
        seconds: seconds,
        rate: (bytes / 1e9 / seconds, "GB/s"),
        floor: copying
      )
    )
  }
}
