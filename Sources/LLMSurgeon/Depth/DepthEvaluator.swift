import Depth
import Foundation
import LinearAlgebra
import Transformer

/// Runs a model without some of its units and scores the others.
struct DepthEvaluator {
  /// The most memory that the hidden states of all blocks take at a time, in bytes.
  private static let stateBytes = 1 << 30

  let model: DecoderModel
  let windows: TokenWindows
  private let head: OutputHead
  private let slices: [TokenSequences]

  /// An evaluator.
  ///
  /// - Parameters:
  ///   - model: The whole model.
  ///   - windows: The tokens.
  /// - Throws: `ModelError` if weights cannot be read or the tokens do not fit.
  init(_ model: DecoderModel, _ windows: TokenWindows) throws {
    self.model = model
    self.windows = windows
    head = try model.loadHead()
    let bytesPerToken = (model.decoder.blocks + 1) * model.decoder.hiddenSize * 4
    let step = max(1, Self.stateBytes / (bytesPerToken * windows.length))
    slices = try stride(from: 0, to: windows.count, by: step).map { first in
      let last = min(windows.count, first + step)
      let tokens = windows.tokens[first * windows.length..<last * windows.length]
      return try TokenSequences(tokens: Array(tokens), length: windows.length)
    }
  }

  /// The mean loss under a mask, in nats per token.
  func loss(under mask: DepthMask) throws -> Double {
    var sum = 0.0
    for slice in slices {
      var states = try MaskedStates(model, slice)
      sum += try head.losses(states.output(under: mask), slice).reduce(0, +)
    }
    return sum / Double(windows.count)
  }

  /// What units do to the hidden state, of a model from which others are gone.
  ///
  /// - Parameters:
  ///   - units: The units.
  ///   - span: For blocks, how many consecutive ones count as one unit, from the given one on; those
  ///     that would reach beyond the last are left out. 1 for parts.
  ///   - mask: What runs.
  ///   - progress: Hears of each slice of the windows.
  /// - Returns: The sums of each unit, in order.
  /// - Throws: `ModelError` if weights cannot be read.
  func updates(
    of units: [DepthUnit],
    span: Int = 1,
    under mask: DepthMask,
    progress: any ProgressListener
  ) throws -> [UpdateSums] {
    progress.begin("scoring, hidden states", total: slices.count, unit: "batches")
    defer { progress.end() }
    let blocks = model.decoder.blocks
    var sums = [UpdateSums](repeating: UpdateSums(), count: units.count)
    for (index, slice) in slices.enumerated() {
      var states = try MaskedStates(model, slice)
      try states.keep(mask)
      for (place, unit) in units.enumerated() where unit.block + span <= blocks {
        let (before, after) = try states.around(unit, span: span)
        sums[place].add(before: before, after: after, length: slice.length)
      }
      progress.advance(to: index + 1)
    }
    return sums
  }

  /// What happens when each of some units is left out too: the rise of the loss, or the distance of
  /// the logits from those of the whole model.
  ///
  /// - Parameters:
  ///   - units: The units.
  ///   - mask: What runs beside them.
  ///   - metric: `loss` or `logits`.
  ///   - progress: Hears of each run.
  /// - Returns: The mean over all windows, for each unit.
  /// - Throws: `ModelError` if weights cannot be read or a loss is not finite.
  func leaveOneOut(
    _ units: [DepthUnit],
    under mask: DepthMask,
    _ metric: DepthMetric,
    progress: any ProgressListener
  ) throws -> [Double] {
    progress.begin(
      "scoring, \(metric.rawValue)",
      total: slices.count * units.count,
      unit: "runs"
    )
    defer { progress.end() }
    var sums = [Double](repeating: 0, count: units.count)
    for (index, slice) in slices.enumerated() {
      var states = try MaskedStates(model, slice)
      let whole = states.output
      try states.keep(mask)
      let base = try head.losses(states.output, slice).reduce(0, +)
      for (place, unit) in units.enumerated() {
        let output = try states.output(under: mask.removing(unit))
        sums[place] +=
          metric == .logits
          ? head.logitDistance(output, whole) * Double(slice.count)
          : try head.losses(output, slice).reduce(0, +) - base
        progress.advance(to: index * units.count + place + 1)
      }
    }
    return sums.map { $0 / Double(windows.count) }
  }

  /// Shapley values of units as players of the loss, from walks downwards from the whole model.
  ///
  /// Each pair of walks takes the next batch of windows, where they do not fit in one.
  func shapley(
    _ units: [DepthUnit],
    _ sampler: ShapleySampler,
    progress: any ProgressListener
  ) throws -> ShapleyEstimate {
    let total = sampler.mostPairs * 2 * (units.count + 1)
    progress.begin("scoring, shapley", total: total, unit: "runs")
    defer { progress.end() }
    let blocks = model.decoder.blocks
    var (batch, runs) = (0, 0)
    var states = try MaskedStates(model, slices[0])
    var whole: [Int: Double] = [:]
    return try sampler.estimate(units: units.count) { pair, gone in
      runs += 1
      progress.advance(to: runs)
      if pair % slices.count != batch {
        batch = pair % slices.count
        states = try MaskedStates(model, slices[batch])
      }
      if gone.isEmpty, let known = whole[batch] { return known }
      try states.keep(DepthMask(blocks: blocks, without: gone.map { units[$0] }))
      let losses = try head.losses(states.output, slices[batch])
      let loss = losses.reduce(0, +) / Double(losses.count)
      if gone.isEmpty { whole[batch] = loss }
      return loss
    }
  }
}

extension MaskedStates {
  /// The hidden states before and after a unit, or after as many blocks as a span has.
  fileprivate mutating func around(
    _ unit: DepthUnit,
    span: Int
  ) throws -> (before: Matrix<Float>, after: Matrix<Float>) {
    switch unit.kind {
    case .blocks: (state(before: unit.block), state(before: unit.block + span))
    case .attention: (state(before: unit.block), try stateWithin(unit.block))
    case .feedForward: (try stateWithin(unit.block), state(before: unit.block + 1))
    }
  }
}
