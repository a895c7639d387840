/// How much is left of one block.
package struct BlockWidths: Hashable, Sendable {
  /// Query heads.
  package var heads: Int
  /// Key and value heads.
  package var keyValueHeads: Int
  /// Neurons of the feed-forward part.
  package var neurons: Int

  /// Takes the three numbers.
  package init(heads: Int, keyValueHeads: Int, neurons: Int) {
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.neurons = neurons
  }
}

/// A quantity of a model that its widths decide: parameters, bytes, the cache of one token, a time.
///
/// It is the sum of what the blocks contribute and of what no width changes. A block's contribution
/// never rises when one of its widths falls; it need not be proportional to anything.
package protocol WidthMeasure: Sendable {
  /// What is counted, for messages: “prunable weights”, “bytes”, ….
  var name: String { get }
  /// What the model has beside its blocks, in the measure's own unit.
  var constant: Double { get }
  /// What one block contributes at given widths, in the measure's own unit.
  func value(of widths: BlockWidths, block: Int) -> Double
}

extension WidthMeasure {
  /// The quantity of a whole model.
  package func value(of widths: [BlockWidths]) -> Double {
    widths.enumerated().reduce(constant) { $0 + value(of: $1.element, block: $1.offset) }
  }
}

/// A measure to which every head and neuron of a block contributes the same.
package struct LinearMeasure: WidthMeasure {
  /// What one block contributes.
  package struct Block: Hashable, Sendable {
    /// For each query head.
    package var perHead: Double
    /// For each key and value head.
    package var perKeyValueHead: Double
    /// For each neuron.
    package var perNeuron: Double
    /// Whatever the widths are.
    package var constant: Double

    /// Takes the contributions.
    package init(
      perHead: Double,
      perKeyValueHead: Double,
      perNeuron: Double,
      constant: Double = 0
    ) {
      self.perHead = perHead
      self.perKeyValueHead = perKeyValueHead
      self.perNeuron = perNeuron
      self.constant = constant
    }
  }

  package let name: String
  package let constant: Double
  /// The contributions, block after block.
  package let blocks: [Block]

  /// Takes the contributions of each block.
  package init(name: String, blocks: [Block], constant: Double = 0) {
    self.name = name
    self.blocks = blocks
    self.constant = constant
  }

  package func value(of widths: BlockWidths, block: Int) -> Double {
    let share = blocks[block]
    return share.constant + share.perHead * Double(widths.heads)
      + share.perKeyValueHead * Double(widths.keyValueHeads)
      + share.perNeuron * Double(widths.neurons)
  }
}

/// The most that may be left of a quantity.
package struct WidthGoal: Sendable {
  /// What is counted.
  package let measure: any WidthMeasure
  /// The bound, in the measure's unit; the result is never above it.
  package let most: Double

  /// Asks for at most `most` of a quantity.
  package init(_ measure: any WidthMeasure, atMost most: Double) {
    self.measure = measure
    self.most = most
  }

  /// Asks for the removal of a share of a quantity that comes in whole numbers, rounded to one.
  ///
  /// - Parameters:
  ///   - share: The share to remove, of what the measure gives for `widths`.
  ///   - measure: What is counted.
  ///   - widths: The widths before anything was removed.
  package init(removing share: Double, of measure: any WidthMeasure, from widths: [BlockWidths]) {
    let total = measure.value(of: widths)
    self.init(measure, atMost: total - (share * total).rounded())
  }

  /// The goal of one shot out of several: the way from `start` goes down in equal steps.
  ///
  /// - Parameters:
  ///   - start: The quantity before the first shot.
  ///   - progress: The shot's number over that of all shots.
  /// - Returns: The goal; this one after the last shot.
  package func eased(from start: Double, progress: Double) -> WidthGoal {
    progress >= 1 ? self : WidthGoal(measure, atMost: start + (most - start) * progress)
  }
}
