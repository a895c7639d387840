import Transformer

/// What is removed whole.
public enum DepthKind: String, CaseIterable, Sendable {
  /// A block with both of its parts.
  case blocks
  /// The attention part of a block.
  case attention
  /// The feed-forward part of a block.
  case feedForward = "feed-forward"

  /// The parts of a block that go.
  var parts: BlockParts {
    switch self {
    case .blocks: .all
    case .attention: .attention
    case .feedForward: .feedForward
    }
  }
}

/// The kinds of units that are removed or scored: one or several.
public struct DepthStructure: Equatable, Sendable {
  /// The kinds, each once, in the order of ``DepthKind``.
  public let kinds: [DepthKind]

  /// Units of some kinds; at least one.
  public init(_ kinds: [DepthKind]) {
    precondition(!kinds.isEmpty, "there is something to remove")
    self.kinds = DepthKind.allCases.filter(kinds.contains)
  }

  /// Reads `blocks`, `attention`, `feed-forward`, or several of them with commas between.
  ///
  /// - Returns: Nil for anything else.
  public init?(_ text: String) {
    var kinds: [DepthKind] = []
    for name in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let kind = DepthKind(rawValue: String(name)), !kinds.contains(kind) else { return nil }
      kinds.append(kind)
    }
    self.init(kinds)
  }

  /// The units of a model: block after block, in each the kinds in order.
  func units(blocks: Int) -> [DepthUnit] {
    (0..<blocks).flatMap { block in kinds.map { DepthUnit(kind: $0, block: block) } }
  }
}

extension DepthStructure: CustomStringConvertible {
  /// As it is read.
  public var description: String { kinds.map(\.rawValue).joined(separator: ",") }
}

/// A block or a part of one.
public struct DepthUnit: Equatable, Hashable, Sendable {
  /// What it is.
  public let kind: DepthKind
  /// The number of the block, from 0.
  public let block: Int
}

extension DepthMask {
  /// Takes a unit out.
  mutating func remove(_ unit: DepthUnit) { remove(unit.kind.parts, ofBlock: unit.block) }

  /// The mask without a unit.
  func removing(_ unit: DepthUnit) -> DepthMask {
    removing(unit.kind.parts, ofBlock: unit.block)
  }

  /// Whether something of a unit runs.
  func runs(_ unit: DepthUnit) -> Bool { !self[unit.block].isDisjoint(with: unit.kind.parts) }

  /// The mask of a model without some units.
  init(blocks: Int, without units: some Sequence<DepthUnit>) {
    self.init(keepingAll: blocks)
    for unit in units { remove(unit) }
  }
}
