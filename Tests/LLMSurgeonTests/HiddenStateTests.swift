import DemonstrationModel
import Foundation
import Synchronization
import TestKit
import Testing

@testable import LLMSurgeon

/// Copies the folder of a run after every block, and counts the blocks of the forward pass.
private final class BlockCopies: ProgressListener {
  private struct State {
    var isForward = false
    var forward = 0
    var copies: [(url: URL, forward: Int)] = []
  }

  private let source: URL?
  private let state = Mutex(State())

  init(of source: URL? = nil) { self.source = source }

  /// The blocks that went forward.
  var forward: Int { state.withLock { $0.forward } }
  /// The copies, with the number of blocks that had gone forward.
  var copies: [(url: URL, forward: Int)] { state.withLock { $0.copies } }

  func begin(_ phase: String, total: Int, unit: String) {
    state.withLock { $0.isForward = phase.contains("forward") }
  }

  func advance(to completed: Int) {
    state.withLock { state in
      if state.isForward { state.forward += 1 }
      guard let source, completed > 0 else { return }
      let name = ".part-\(state.copies.count).unfinished"
      let copy = source.deletingLastPathComponent().appending(path: name)
      guard (try? FileManager.default.copyItem(at: source, to: copy)) != nil else { return }
      state.copies.append((copy, state.forward))
    }
  }

  /// Blocks that went forward in an earlier process are not counted.
  func resume(at completed: Int) {}
  func end() {}
  func note(_ message: String) {}
}

@Suite("Hidden states that outlive an interruption")
struct HiddenStateTests {
  /// Calibrates the embedded model with as little memory as it takes.
  private func calibrate(to output: URL, _ progress: any ProgressListener) throws {
    let model = try OpenedModel(DemonstrationModel.directory.path).model
    let footprint = CalibrationFootprint(of: model, samples: 5, length: 32, precision: .float32)
    _ = try LLMSurgeon.calibrate(
      CalibrationOptions(
        model: DemonstrationModel.directory.path,
        input: .text([DemonstrationModel.calibrationText]),
        windows: WindowChoice(samples: 5, length: 32),
        memory: CalibrationMemory(limit: Int(footprint.working) + 1),
        output: output
      ),
      progress: progress
    )
  }

  @Test("no block goes forward twice but the last one, and the bytes are the same")
  func continued() throws {
    let scratch = try ScratchDirectory()
    let copies = BlockCopies(of: scratch.url(".whole.unfinished"))
    try calibrate(to: scratch.url("whole"), copies)
    let blocks = copies.forward
    #expect(copies.copies.count > blocks)
    for (number, copy) in copies.copies.enumerated() {
      let rest = BlockCopies()
      try calibrate(to: scratch.url("part-\(number)"), rest)
      // The output of the last block is not kept, so it goes again unless its gradient is.
      let isBackward = number >= blocks
      let expected = isBackward ? 0 : max(1, blocks - copy.forward)
      #expect(rest.forward == expected, "copy \(number)")
      #expect(try differences(scratch.url("whole"), scratch.url("part-\(number)")) == [])
    }
    #expect(try scratch.names().allSatisfy { !$0.hasPrefix(".") })
  }

  @Test("a scratch file that was lost or cut is made anew", arguments: [true, false])
  func lost(isCut: Bool) throws {
    let scratch = try ScratchDirectory()
    let copies = BlockCopies(of: scratch.url(".whole.unfinished"))
    try calibrate(to: scratch.url("whole"), copies)
    let blocks = copies.forward
    for (number, copy) in copies.copies.enumerated() {
      let file = copy.url.appending(path: HiddenStateFile.name)
      let bytes = try Data(contentsOf: file)
      try FileManager.default.removeItem(at: file)
      if isCut { try bytes.dropLast(1).write(to: file) }
      let rest = BlockCopies()
      try calibrate(to: scratch.url("part-\(number)"), rest)
      // Below the next block to go back through, all inputs are made again.
      let done = number + 1 - blocks
      #expect(rest.forward == (done > 0 ? max(0, blocks - 1 - done) : blocks), "copy \(number)")
      #expect(try differences(scratch.url("whole"), scratch.url("part-\(number)")) == [])
    }
  }
}
