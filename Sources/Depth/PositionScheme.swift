/// Which blocks go by their place alone, without data; the first and the last always stay.
///
/// The schemes of "Just CHOP" (Jha et al., arXiv 2305.14864).
public enum PositionScheme: String, CaseIterable, Sendable {
  /// Those right after the first block.
  case input
  /// Those right before the last block.
  case output
  /// Those in the middle; where they cannot be centred, one nearer to the input.
  case middle
  /// Half of them after the first block and half before the last; one more after the first where
  /// their number is odd.
  case both
  /// Those that leave the others spaced evenly.
  case maxGap = "max-gap"

  /// The blocks that go.
  ///
  /// - Parameters:
  ///   - count: How many.
  ///   - blocks: The number of blocks of the model.
  /// - Returns: Their numbers from 0, in ascending order.
  /// - Throws: ``DepthError/tooMany(count:blocks:)`` if fewer than the first and last would stay.
  package func removed(_ count: Int, of blocks: Int) throws(DepthError) -> [Int] {
    precondition(count >= 0 && blocks >= 0, "numbers of blocks")
    guard count > 0 else { return [] }
    guard count <= blocks - 2 else { throw .tooMany(count: count, blocks: blocks) }
    switch self {
    case .input: return Array(1..<count + 1)
    case .output: return Array(blocks - 1 - count..<blocks - 1)
    case .middle:
      let start = (blocks - count) / 2
      return Array(start..<start + count)
    case .both:
      let front = (count + 1) / 2
      return Array(1..<front + 1) + Array(blocks - 1 - (count - front)..<blocks - 1)
    case .maxGap:
      let kept = Self.evenlySpaced(blocks - count, of: blocks)
      return (0..<blocks).filter { !kept.contains($0) }
    }
  }

  /// `⌊i (L − 1) / (k − 1) + ½⌋` for `i` below `k`, in whole numbers; `k` is at least 2.
  private static func evenlySpaced(_ count: Int, of blocks: Int) -> Set<Int> {
    let gaps = count - 1
    return Set((0..<count).map { (2 * $0 * (blocks - 1) + gaps) / (2 * gaps) })
  }
}
