import LinearAlgebra
import Transformer

/// A part of a model that is fitted as one: blocks, or a half of one.
struct WindowUnit: Sendable, Equatable {
  let blocks: Range<Int>
  let parts: BlockParts

  /// The windows of a model, in the order of its blocks; a matrix's window is its block.
  static func units(of window: ReconstructionWindow, blocks: Int) -> [WindowUnit] {
    switch window {
    case .matrix: return (0..<blocks).map { WindowUnit(blocks: $0..<$0 + 1, parts: .all) }
    case .parts:
      return (0..<blocks).flatMap { block in
        [BlockParts.attention, .feedForward].map {
          WindowUnit(blocks: block..<block + 1, parts: $0)
        }
      }
    case .blocks(let count):
      return stride(from: 0, to: blocks, by: count).map {
        WindowUnit(blocks: $0..<min(blocks, $0 + count), parts: .all)
      }
    }
  }

  /// The window's name in reports, such as `block 3, attention` or `blocks 0–1`.
  var name: String {
    guard blocks.count == 1 else { return "blocks \(blocks.lowerBound)–\(blocks.upperBound - 1)" }
    let part = parts == .all ? "" : parts == .attention ? ", attention" : ", feed-forward"
    return "block \(blocks.lowerBound)\(part)"
  }

  /// Takes a hidden state through the window, in place.
  func forward(
    _ model: DecoderModel,
    _ hidden: inout Matrix<Float>,
    length: Int,
    in workspace: inout BlockWorkspace
  ) throws {
    for block in blocks {
      try model.loadBlock(block).only(parts).forward(&hidden, length: length, in: &workspace)
    }
  }
}
