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

/// The median time of some rounds, after one that does not count.
private func medianTime(_ rounds: Int, _ body: () throws -> Void) rethrows -> Double {
  try body()
  return median(try (0..<rounds).map { _ in try duration(body) })
}

private func measureTokenizer(_ board: inout Scoreboard) throws {
  let tokenizer = try Tokenizer.load(directory: DemonstrationModel.directory)
  let text = [UInt8](try Data(contentsOf: DemonstrationModel.calibrationText))
  let seconds = try medianTime(board.rounds) { _ = try tokenizer.encode(text) }
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
  let copying = medianTime(board.rounds) {
    for index in copy.indices { copy[index] = numbers[index] }
  }
  let writing = try medianTime(board.rounds) {
    try SafetensorsWriter.write(
      [SafetensorsWriter.Tensor("numbers", description, floats: { numbers })],
      to: path
    )
  }
  let reading = try medianTime(board.rounds) {
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
