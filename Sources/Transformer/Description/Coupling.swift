/// How the outputs of one linear layer bear on another layer: what becomes dead when a part is cut.
///
/// Both layers' indices are cut into `units`, numbered alike. A unit is the least set for which the
/// statement of ``meaning-swift.property`` holds: one neuron of a feed-forward part, one channel of
/// a value head with the output channels of all query heads that share it, or, where queries and
/// keys are rotated, a pair of channels.
package struct Coupling: Equatable, Sendable {
  /// What ties the two layers.
  package enum Meaning: Equatable, Sendable {
    /// The first layer's rows reach the model's output through the second layer's columns alone.
    ///
    /// When a unit's columns are all zero, its rows are dead and can be cut. When its rows are all
    /// zero, the bias included, its columns see only zeros and can be cut (a value row whose weights
    /// are zero but whose bias is not still sends a constant).
    case rowsFeedColumns
    /// The first layer's rows count only in products with the second layer's rows.
    ///
    /// When either side of a unit is all zero, the bias included, the other side is dead.
    case rowsMeetRows
  }

  /// How a unit's number becomes indices.
  private enum Pattern: Equatable, Sendable {
    case identity
    case heads(size: Int, perGroup: Int, leftIsPerHead: Bool, rotated: Bool)
  }

  /// What ties the two layers.
  package let meaning: Meaning
  /// The first layer, as a position in ``DecoderModel/linears``.
  package let producer: Int
  /// The second layer, as a position in ``DecoderModel/linears``.
  package let consumer: Int
  /// The number of units.
  package let units: Int
  private let pattern: Pattern

  /// The rows of the first layer that make up a unit, ascending.
  package func producerRows(ofUnit unit: Int) -> [Int] {
    switch pattern {
    case .identity: [unit]
    case .heads(_, _, leftIsPerHead: true, _): perHead(unit)
    case .heads: perGroup(unit)
    }
  }

  /// The columns (or rows, where rows meet rows) of the second layer that make up a unit, ascending.
  package func consumerIndices(ofUnit unit: Int) -> [Int] {
    switch pattern {
    case .identity: [unit]
    case .heads(_, _, leftIsPerHead: true, _): perGroup(unit)
    case .heads: perHead(unit)
    }
  }

  /// The channels of a unit among the key and value heads.
  private func perGroup(_ unit: Int) -> [Int] {
    guard case .heads(let size, _, _, let rotated) = pattern else { return [unit] }
    guard rotated else { return [unit] }
    let (head, pair) = unit.quotientAndRemainder(dividingBy: size / 2)
    return [head * size + pair, head * size + pair + size / 2]
  }

  /// The same channels among the query heads that share the head.
  private func perHead(_ unit: Int) -> [Int] {
    guard case .heads(let size, let sharing, _, _) = pattern else { return [unit] }
    return (0..<sharing).flatMap { member in
      perGroup(unit).map { channel in
        let (head, offset) = channel.quotientAndRemainder(dividingBy: size)
        return (head * sharing + member) * size + offset
      }
    }
  }
}

extension Coupling {
  /// The couplings within one block.
  ///
  /// - Parameters:
  ///   - decoder: The model.
  ///   - block: The number of the block.
  ///   - position: The position of a layer of the block in the list of all layers.
  /// - Returns: Scores, values, then the feed-forward part.
  static func couplings(
    of decoder: DecoderDescription,
    block: Int,
    position: (LinearRole) -> Int
  ) -> [Coupling] {
    let shape = decoder.blockShapes[block]
    let (size, sharing) = (decoder.headSize, shape.headsPerGroup)
    var isRotated = false
    if case .rotary = decoder.position { isRotated = true }
    let channels = shape.keyValueHeads * size
    let scores = Coupling(
      meaning: .rowsMeetRows,
      producer: position(.query),
      consumer: position(.key),
      units: isRotated ? channels / 2 : channels,
      pattern: .heads(size: size, perGroup: sharing, leftIsPerHead: true, rotated: isRotated)
    )
    let values = Coupling(
      meaning: .rowsFeedColumns,
      producer: position(.value),
      consumer: position(.attentionOutput),
      units: channels,
      pattern: .heads(size: size, perGroup: sharing, leftIsPerHead: false, rotated: false)
    )
    let neurons = (decoder.isGated ? [LinearRole.gate, .up] : [.up]).map { role in
      Coupling(
        meaning: .rowsFeedColumns,
        producer: position(role),
        consumer: position(.down),
        units: shape.innerSize,
        pattern: .identity
      )
    }
    return [scores, values] + neurons
  }
}
