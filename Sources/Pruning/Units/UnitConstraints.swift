/// What the widths of the remaining model have to obey.
///
/// A part that loses nothing obeys every constraint; each part that has units keeps at least one.
public struct UnitConstraints: Equatable, Sendable {
  /// The neurons that a block keeps are a multiple of this.
  public var neuronMultiple: Int
  /// The key and value heads that a block keeps (query heads, where these go alone) are a multiple
  /// of this, so that so many devices can share them.
  public var headMultiple: Int
  /// So many blocks at the start lose nothing.
  public var keepFirst: Int
  /// So many blocks at the end lose nothing.
  public var keepLast: Int
  /// The largest share of its units that a part loses.
  public var largestShare: Double

  /// Constraints; none unless stated.
  public init(
    neuronMultiple: Int = 1,
    headMultiple: Int = 1,
    keepFirst: Int = 0,
    keepLast: Int = 0,
    largestShare: Double = 1
  ) {
    self.neuronMultiple = neuronMultiple
    self.headMultiple = headMultiple
    self.keepFirst = keepFirst
    self.keepLast = keepLast
    self.largestShare = largestShare
  }

  /// Checks every value.
  ///
  /// - Throws: ``PruningError/constraintOutOfRange(_:)``.
  func validate() throws(PruningError) {
    guard neuronMultiple >= 1, headMultiple >= 1 else {
      throw .constraintOutOfRange("a multiple of neurons or heads is at least 1")
    }
    guard keepFirst >= 0, keepLast >= 0 else {
      throw .constraintOutOfRange("the number of blocks that lose nothing is not negative")
    }
    guard largestShare > 0, largestShare <= 1 else {
      throw .constraintOutOfRange("the largest share that a part loses is above 0 and at most 1")
    }
  }

  /// Whether a block may lose anything.
  func allow(block: Int, of blocks: Int) -> Bool {
    block >= keepFirst && block < blocks - keepLast
  }
}

extension UnitState {
  /// The numbers of units that a part may keep, falling; the first is what it has.
  func stops(ofPart index: Int, _ constraints: UnitConstraints, kinds: Set<UnitKind>) -> [Int] {
    let part = model.parts[index]
    let now = kept[index].count
    guard kinds.contains(part.kind), now > 1,
      constraints.allow(block: part.block, of: model.widths.count)
    else { return [now] }
    let multiple = part.kind == .neurons ? constraints.neuronMultiple : constraints.headMultiple
    let sets = sets(ofPart: index)
    let least = (1 - constraints.largestShare) * Double(part.count)
    // A share such as 0.3 of 10 units is three of them, whatever its rounding.
    let slack = 1e-9 * Double(part.count)
    return [now]
      + (1..<now).reversed().filter { count in
        Double(count) >= least - slack && count % multiple == 0
          && count % sets.number == 0 && count / sets.number <= sets.smallest
      }
  }
}
