import Foundation
import MessagePassing
import Synchronization

/// Ranks that are threads of one process and meet in memory; one of them may be stopped.
struct ThreadRanks: RankGroup {
  /// A rank was stopped, or waits for one that was.
  struct Stopped: Error {}

  /// What the ranks of one group have laid down for each other.
  final class Table: Sendable {
    private struct State {
      var parts: [[UInt8]?]
      var result: [[UInt8]] = []
      var taken = 0
      var round = 0
      var isStopped = false
    }

    private let state: Mutex<State>
    private let stop: (rank: Int, round: Int)?
    let count: Int

    /// A table for ranks, one of which is stopped as soon as it has met the others so many times.
    init(count: Int, stop: (rank: Int, round: Int)? = nil) {
      self.count = count
      self.stop = stop
      state = Mutex(State(parts: Array(repeating: nil, count: count)))
    }

    /// How often the ranks have met.
    var rounds: Int { state.withLock { $0.round } }

    /// Lets all ranks stop that wait or will wait.
    func leave() { state.withLock { $0.isStopped = true } }

    /// Lays down a part, waits for all others, and takes all.
    func meet(_ part: [UInt8], rank: Int) throws -> [[UInt8]] {
      let round = state.withLock { state in
        state.parts[rank] = part
        let round = state.round
        if !state.parts.contains(where: { $0 == nil }) {
          state.result = state.parts.compactMap { $0 }
          state.parts = Array(repeating: nil, count: count)
          state.taken = 0
          state.round += 1
        }
        return round
      }
      let result = try wait { $0.round > round ? $0.result : nil }
      state.withLock { $0.taken += 1 }
      // The next part is laid down when all have taken this one.
      _ = try wait { $0.round > round + 1 || $0.taken == count ? true : nil }
      if let stop, stop == (rank, round + 1) {
        leave()
        throw Stopped()
      }
      return result
    }

    private func wait<Value>(_ value: (State) -> Value?) throws -> Value {
      while true {
        let (found, isStopped) = state.withLock { (value($0), $0.isStopped) }
        if let found { return found }
        if isStopped { throw Stopped() }
        usleep(20)
      }
    }
  }

  let rank: Int
  let table: Table
  var count: Int { table.count }
  var localCount: Int { table.count }

  func allGather(_ bytes: [UInt8]) throws -> [[UInt8]] { try table.meet(bytes, rank: rank) }

  func exchange(_ pieces: [Float]) throws -> [Float] {
    let share = pieces.count / count
    return try allGather(Self.bytes(pieces)).flatMap {
      Self.floats($0)[rank * share..<(rank + 1) * share]
    }
  }

  func collect(_ numbers: [Float]) throws -> [Float] {
    let all = try allGather(Self.bytes(numbers)).flatMap(Self.floats)
    return isFirst ? all : []
  }

  func abort() {}

  /// Runs a job on all ranks at once.
  ///
  /// - Throws: What the job throws on the first rank that fails by itself, or ``Stopped``.
  static func run(at table: Table, _ job: @escaping @Sendable (ThreadRanks) throws -> Void) throws {
    let failures = Mutex<[any Error]>([])
    let group = DispatchGroup()
    for rank in 0..<table.count {
      group.enter()
      Thread.detachNewThread {
        do { try job(ThreadRanks(rank: rank, table: table)) } catch {
          failures.withLock { $0.append(error) }
          table.leave()
        }
        group.leave()
      }
    }
    group.wait()
    let all = failures.withLock { $0 }
    if let failure = all.first(where: { !($0 is Stopped) }) ?? all.first { throw failure }
  }

  private static func bytes(_ numbers: [Float]) -> [UInt8] {
    numbers.flatMap { number in
      (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * UInt32($0))) }
    }
  }

  private static func floats(_ bytes: [UInt8]) -> [Float] {
    stride(from: 0, to: bytes.count, by: 4).map { start in
      let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
      return Float(bitPattern: bits)
    }
  }
}
