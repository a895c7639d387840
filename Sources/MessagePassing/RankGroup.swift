/// The processes that work on one job together, and how they speak to each other.
///
/// Every rank makes the same calls in the same order, each from one thread. The calls only move
/// data: what is computed from it does not depend on how it travelled.
package protocol RankGroup: Sendable {
  /// The number of this process, from 0.
  var rank: Int { get }
  /// The number of processes.
  var count: Int { get }
  /// The number of them on this machine.
  var localCount: Int { get }

  /// Hands everybody's bytes to everybody; nobody goes on before all have come.
  ///
  /// - Parameter bytes: As many from each rank.
  /// - Returns: The bytes of all ranks, in their order.
  /// - Throws: If another rank is gone.
  func allGather(_ bytes: [UInt8]) throws -> [[UInt8]]

  /// Hands each rank its piece.
  ///
  /// - Parameter pieces: ``count`` pieces of one length, in the order of ranks.
  /// - Returns: What all ranks have for this one, as many numbers, in the order of ranks.
  /// - Throws: If another rank is gone.
  func exchange(_ pieces: [Float]) throws -> [Float]

  /// Hands the first rank everybody's numbers.
  ///
  /// - Parameter numbers: As many from each rank.
  /// - Returns: The numbers of all ranks, in their order; nothing but on the first rank.
  /// - Throws: If another rank is gone.
  func collect(_ numbers: [Float]) throws -> [Float]

  /// Ends the processes of all ranks at once.
  func abort()
}

extension RankGroup {
  /// Whether this is the rank that writes and speaks.
  package var isFirst: Bool { rank == 0 }

  /// Waits for all ranks.
  ///
  /// - Throws: If another rank is gone.
  package func meet() throws { _ = try allGather([0]) }
}

extension Int64 {
  /// Its bytes, the lowest first.
  package var littleEndianBytes: [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: self >> (8 * Int64($0))) }
  }

  /// The number of eight bytes, the lowest first.
  package init(bytes: [UInt8]) {
    self = bytes.reversed().reduce(0) { $0 << 8 | Int64($1) }
  }
}
