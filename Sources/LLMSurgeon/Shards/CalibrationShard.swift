/// One of several calibrations that share the windows of one among them.
///
/// Shard `i` of `N` takes the `i`-th of `N` runs of neighbouring windows, as equal in number as can be.
public struct CalibrationShard: Sendable, Equatable {
  /// Its number, from 1 up to ``count``.
  public let index: Int
  /// The number of shards.
  public let count: Int

  /// Shard `index` of `count`; nil if there is none of that number.
  public init?(index: Int, of count: Int) {
    guard 1 <= index, index <= count else { return nil }
    self.index = index
    self.count = count
  }

  /// Reads `2/4`, the second shard of four.
  public init?(_ text: String) {
    let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let index = numbers[0], let count = numbers[1] else { return nil }
    self.init(index: index, of: count)
  }

  /// The windows that this shard takes.
  ///
  /// - Parameter sequences: The number of all windows, at least as many as there are shards.
  /// - Returns: Their numbers.
  func range(of sequences: Int) -> Range<Int> {
    precondition(count <= sequences, "a window for each shard")
    let (share, rest) = sequences.quotientAndRemainder(dividingBy: count)
    // The first `rest` shards have one more.
    let start = (index - 1) * share + min(index - 1, rest)
    return start..<start + share + (index <= rest ? 1 : 0)
  }
}

/// What a shard's manifest says of the calibration that it is a part of.
package struct ShardRecord: Sendable, Equatable {
  /// Which shard it is, of how many.
  package let shard: CalibrationShard
  /// The number of windows of all shards.
  package let sequences: Int
  /// A hash of the tokens of all windows.
  package let dataFingerprint: String

  /// The windows that the shard takes.
  var range: Range<Int> { shard.range(of: sequences) }
}

extension TokenWindows {
  /// The windows of a shard, and what its manifest says of all of them.
  ///
  /// - Parameter shard: Which part.
  /// - Returns: The windows and the record.
  /// - Throws: ``JobError/badSetting(_:)`` if there are more shards than windows.
  func part(_ shard: CalibrationShard) throws -> (windows: TokenWindows, record: ShardRecord) {
    guard shard.count <= count else {
      throw JobError.badSetting(
        "\(count) windows cannot be shared among \(shard.count): "
          + "take fewer shards, or more windows (--samples)"
      )
    }
    let record = ShardRecord(shard: shard, sequences: count, dataFingerprint: fingerprint)
    return (selecting(record.range), record)
  }

  /// Some of the windows.
  func selecting(_ range: Range<Int>) -> TokenWindows {
    TokenWindows(
      tokens: Array(tokens[range.lowerBound * length..<range.upperBound * length]),
      length: length,
      starts: starts.map { Array($0[range]) },
      source: source
    )
  }
}
