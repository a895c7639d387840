package import Transformer

/// The sizes that blocks are written with, known before anything is removed.
package struct WrittenSizes: Sendable {
  private let family: FamilyClass
  private let profile: Profile
  private let decoder: DecoderDescription

  /// The sizes for a model; nil for another profile, an unknown family, or blocks that differ.
  ///
  /// - Parameters:
  ///   - profile: A profile that leaves out what was removed.
  ///   - configuration: The model; of equal blocks for the profile `uniform`.
  package init?(_ profile: Profile, _ configuration: ModelConfiguration) {
    guard let family = FamilyClass.of(configuration.modelType) else { return nil }
    let shapes = configuration.decoder.blockShapes
    switch profile {
    case .masked, .packed: return nil
    case .uniform: guard shapes.allSatisfy({ $0 == shapes[0] }) else { return nil }
    case .perLayer: break
    }
    self.family = family
    self.profile = profile
    decoder = configuration.decoder
  }

  /// The sizes that a block is written with.
  ///
  /// - Parameters:
  ///   - left: What is left of the block; for the profile `uniform`, of every block.
  ///   - block: Its number.
  /// - Returns: Sizes that hold it: each at least 1, and those that the family's class accepts.
  package func shape(holding left: BlockShape, block: Int) -> BlockShape {
    let whole = decoder.blockShapes[block]
    let least = BlockShape(
      heads: family.dropsHeads ? left.heads : whole.heads,
      keyValueHeads: family.dropsHeads ? left.keyValueHeads : whole.keyValueHeads,
      innerSize: max(1, left.innerSize)
    )
    guard family.dropsHeads, profile == .uniform else { return least }
    return family.uniformSizes(atLeast: least, of: decoder).shape
  }
}
