import Depth
import Foundation
import Training
import Transformer

/// Which blocks of a model go after which steps, and how fast it learns in each.
struct ChopPlan: Sendable {
  /// The number of blocks of the whole model.
  let blocks: Int
  /// Those that go, in ascending order.
  let removed: [Int]
  /// The steps before the first goes.
  let stepsBefore: Int
  /// The steps between one and the next; 0 for all at once.
  let interval: Int
  /// The steps in all.
  let steps: Int
  /// The learning rate from the first removal on; nil without steps from there on.
  private let course: LearningRate?
  /// The learning rate until then.
  private let rateBefore: Double

  /// The plan for a model.
  ///
  /// - Parameters:
  ///   - options: What is asked for.
  ///   - model: The whole model.
  /// - Throws: ``JobError/badSetting(_:)``, `DepthError` or `TrainingError` for what cannot be.
  init(_ options: ChopOptions, of model: DecoderModel) throws {
    let (removal, training) = (options.removal, options.training)
    blocks = model.decoder.blocks
    removed = try removal.blocks(of: model)
    stepsBefore = removal.stepsBefore
    interval = removal.interval
    steps = removal.stepsBefore + training.steps
    let (needed, overflow) = interval.multipliedReportingOverflow(by: removed.count - 1)
    guard !overflow, needed <= training.steps else {
      throw JobError.badSetting(
        "\(removed.count) blocks that go one every \(interval) steps need more than "
          + "\(training.steps) steps; raise --steps or lower --every"
      )
    }
    course = training.steps > 0 ? try training.course() : nil
    rateBefore = training.learningRate * training.finalRate
  }

  /// How many blocks are gone when so many steps are made and what was due went.
  private func gone(after step: Int) -> Int {
    guard step >= stepsBefore else { return 0 }
    return interval == 0 ? removed.count : min(removed.count, (step - stepsBefore) / interval + 1)
  }

  /// The blocks that go when so many steps are made.
  func removed(after step: Int) -> [Int] {
    Array(removed[(step == 0 ? 0 : gone(after: step - 1))..<gone(after: step)])
  }

  /// The blocks that there are in a step, counted from 1; all of them before the first.
  func kept(in step: Int) -> [Int] {
    step == 0 ? Array(0..<blocks) : kept(after: step - 1)
  }

  /// The blocks that are left when so many steps are made and what was due went.
  func kept(after step: Int) -> [Int] {
    let gone = Set(removed.prefix(gone(after: step)))
    return (0..<blocks).filter { !gone.contains($0) }
  }

  /// The learning rate of a step, counted from 1.
  ///
  /// Before the first removal it is where the course ends: that is how the first pretraining ended.
  func rate(step: Int) -> Double {
    guard let course, step > stepsBefore else { return rateBefore }
    return course.rate(step: step - stepsBefore)
  }
}

extension ChopRemoval {
  /// The blocks that go, in ascending order.
  fileprivate func blocks(of model: DecoderModel) throws -> [Int] {
    let blocks = model.decoder.blocks
    let amount: DepthAmount
    switch self.amount {
    case .remove(let count): amount = .count(count)
    case .keep(let count):
      guard 2 <= count, count < blocks else {
        throw JobError.badSetting(
          "of \(blocks) blocks, \(count) cannot be kept: the first and the last stay, and one goes"
        )
      }
      amount = .count(blocks - count)
    case .blocks(let list): amount = .blocks(list)
    }
    let options = DepthPruneOptions(
      model: "",
      structure: DepthStructure([.blocks]),
      amount: amount,
      criterion: .position(scheme),
      output: URL(filePath: "/")
    )
    try options.check(blocks: blocks)
    let selection = DepthSelection(options: options, model: model, evaluator: nil)
    let chosen = try selection.units(progress: SilentProgress()).map(\.block)
    guard let first = chosen.first, let last = chosen.last else { return [] }
    guard first > 0, last < blocks - 1 else {
      throw JobError.badSetting(
        "block \(first == 0 ? 0 : last) is the \(first == 0 ? "first" : "last") one, which stays; "
          + "'surgeon prune --structure blocks --remove-list' removes any"
      )
    }
    return chosen
  }
}
