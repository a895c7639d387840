import LinearAlgebra

extension ModelCut {
  /// Reads off a model's weights what can be cut, one block in memory at a time.
  ///
  /// A neuron goes if its column of the down projection is zero, or if its value is zero whatever
  /// the input: the row of `up` is zero with a bias that adds nothing, or that of `gate` with a bias
  /// that the activation maps to zero. A query head goes if each of its channels has a zero column in
  /// the output projection or a value row that is zero with its bias. Heads that share keys and
  /// values go together, or as many of each group. What contributes a constant other than zero stays,
  /// and so do one neuron and one head of each block.
  ///
  /// - Parameter model: The model, with zeros where it was pruned.
  /// - Throws: ``ModelError`` if weights cannot be read or hold NaN or infinity.
  package init(of model: DecoderModel) throws(ModelError) {
    var blocks: [BlockCut] = []
    for index in 0..<model.decoder.blocks {
      blocks.append(try BlockCut(of: model, block: index))
    }
    self.init(blocks: blocks)
  }
}

extension BlockCut {
  /// Reads one block.
  fileprivate init(of model: DecoderModel, block: Int) throws(ModelError) {
    let shape = model.decoder.blockShapes[block]
    let dead = try DeadUnits(of: model, block: block)
    let neurons = (0..<shape.innerSize).filter { !dead.neurons[$0] }
    let (heads, groups) = Self.attention(dead.heads, of: shape)
    self.init(
      heads: heads,
      keyValueHeads: groups,
      neurons: neurons.isEmpty ? [0] : neurons
    )
  }

  /// The heads that stay, as many of each group that stays.
  private static func attention(
    _ isDead: [Bool],
    of shape: BlockShape
  ) -> (heads: [Int], keyValueHeads: [Int]) {
    let sharing = shape.headsPerGroup
    let alive = (0..<shape.keyValueHeads).map { group in
      (group * sharing..<(group + 1) * sharing).filter { !isDead[$0] }
    }
    let groups = alive.indices.filter { !alive[$0].isEmpty }
    guard let most = groups.map({ alive[$0].count }).max() else { return ([0], [0]) }
    let heads = groups.flatMap { group in
      let dead = (group * sharing..<(group + 1) * sharing).lazy.filter { isDead[$0] }
      return (alive[group] + dead.prefix(most - alive[group].count)).sorted()
    }
    return (heads, groups)
  }
}

/// The units of a block that contribute nothing, whatever the input.
private struct DeadUnits {
  let heads: [Bool]
  let neurons: [Bool]

  init(of model: DecoderModel, block: Int) throws(ModelError) {
    let reader = WeightReader(source: model.source)
    func read(_ role: LinearRole) throws(ModelError) -> Linear {
      try reader.linear(model.layout.linear(role, block: block))
    }
    heads = Self.heads(
      value: try read(.value),
      output: try read(.attentionOutput),
      shape: model.decoder.blockShapes[block],
      size: model.decoder.headSize
    )
    neurons = Self.neurons(
      gate: model.decoder.isGated ? try read(.gate) : nil,
      up: try read(.up),
      down: try read(.down),
      model.decoder.activation
    )
  }

  private static func heads(
    value: Linear,
    output: Linear,
    shape: BlockShape,
    size: Int
  ) -> [Bool] {
    let isUnused = output.weight.zeroColumns
    let isSilent = value.constantRows { $0 == 0 }
    return (0..<shape.heads).map { head in
      let group = head / shape.headsPerGroup
      return (0..<size).allSatisfy { isUnused[head * size + $0] || isSilent[group * size + $0] }
    }
  }

  private static func neurons(
    gate: Linear?,
    up: Linear,
    down: Linear,
    _ activation: Activation
  ) -> [Bool] {
    let isUnused = down.weight.zeroColumns
    // With a gate, the activation is on its side and `up` is a plain factor.
    let isSilent = up.constantRows { gate == nil ? activation.isZero(at: $0) : $0 == 0 }
    let isClosed =
      gate?.constantRows(where: activation.isZero)
      ?? [Bool](repeating: false, count: isUnused.count)
    return isUnused.indices.map { isUnused[$0] || isSilent[$0] || isClosed[$0] }
  }
}

extension Activation {
  /// Whether the function is exactly zero there.
  fileprivate func isZero(at input: Float) -> Bool {
    switch self {
    case .relu: input <= 0
    case .silu: input == 0
    }
  }
}

extension Linear {
  /// For each output whether its weights are zero and its bias (zero without one) is as stated.
  fileprivate func constantRows(where condition: (Float) -> Bool) -> [Bool] {
    let values = weight.storage.span
    return (0..<weight.rows).map { row in
      guard condition(bias?[row] ?? 0) else { return false }
      return (row * weight.columns..<(row + 1) * weight.columns).allSatisfy { values[$0] == 0 }
    }
  }
}

extension Matrix<Float> {
  /// For each column whether it is all zero.
  fileprivate var zeroColumns: [Bool] {
    var isZero = [Bool](repeating: true, count: columns)
    let values = storage.span
    for row in 0..<rows {
      for column in 0..<columns where values[row * columns + column] != 0 {
        isZero[column] = false
      }
    }
    return isZero
  }
}
