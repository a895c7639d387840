import Foundation
import MessagePassing
import Safetensors
import Tensors

/// The factors of a calibration that several ranks make together, each from its own windows.
///
/// Each rank receives a share of everybody's triangles, adds them in the order of ranks, and hands
/// the means to the first rank, which writes them: the same numbers that merging shards gives. No
/// rank goes on before a block is written, so whichever rank is killed, the others are at most one
/// block ahead of it.
struct JointFactors: FactorDestination {
  /// The numbers that two ranks hand each other at a time.
  private static let exchangedAtOnce = 1 << 18

  /// The ranks.
  let ranks: any RankGroup
  /// The positions in the means of each rank.
  let positions: [Int]
  /// Where the first rank writes; not looked at on the others.
  let files: FactorFiles
  /// The next block of the rank that is ahead of the others.
  private var next: Int

  /// Factors of all ranks.
  init(ranks: any RankGroup, positions: [Int], files: FactorFiles) {
    self.ranks = ranks
    self.positions = positions
    self.files = files
    next = files.blocks.count - 1
  }

  mutating func canContinue(at block: Int?) throws -> Bool {
    let last = files.blocks.count - 1
    let all = try ranks.allGather(Int64(block ?? last).littleEndianBytes).map(Int64.init(bytes:))
    let foremost = Int(all.min() ?? Int64(last))
    // What one rank has behind it is written, unless its state is not of these files.
    let isWritten = !ranks.isFirst || (try? files.canContinue(at: foremost)) == true
    let answers = try ranks.allGather([isWritten ? 1 : 0])
    guard answers.allSatisfy({ $0 == [1] }) else { return false }
    next = foremost
    return block != nil
  }

  func keep(_ tensors: [SafetensorsWriter.Tensor], block: Int) throws {
    // Written before the interruption: others had gone on already.
    guard block <= next else { return }
    let tensors = tensors.sorted { $0.name < $1.name }
    if ranks.isFirst {
      let means = tensors.map { tensor in
        SafetensorsWriter.Tensor(
          tensor.name,
          tensor.description,
          floats: { try mean(of: tensor) }
        )
      }
      try files.keep(means, block: block)
    } else {
      for tensor in tensors { _ = try mean(of: tensor) }
    }
    try ranks.meet()
  }

  /// The mean of a factor over the windows of all ranks; nothing but on the first rank.
  private func mean(of tensor: SafetensorsWriter.Tensor) throws -> [Float] {
    let own = try tensor.description.floats(from: try tensor.content(), name: tensor.name)
    let share = min(Self.exchangedAtOnce, (own.count + ranks.count - 1) / ranks.count)
    let step = share * ranks.count
    var means: [Float] = []
    if ranks.isFirst { means.reserveCapacity(own.count) }
    for start in stride(from: 0, to: own.count, by: step) {
      var pieces = Array(own[start..<min(own.count, start + step)])
      pieces += repeatElement(0, count: step - pieces.count)
      let received = try ranks.exchange(pieces)
      var mean = WeightedMean(count: share)
      for (rank, count) in positions.enumerated() {
        mean.add(Array(received[rank * share..<(rank + 1) * share]), positions: count)
      }
      means += try ranks.collect(mean.mean()).prefix(own.count - start)
    }
    return means
  }
}
