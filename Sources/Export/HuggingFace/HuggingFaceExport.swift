package import Checkpoint
internal import ExactJSON
import Safetensors
internal import Tensors
package import Transformer

/// A checkpoint directory in one of the profiles: how it differs from the directory that it is made
/// from.
package struct HuggingFaceExport {
  /// The model to write.
  package struct Source {
    /// The directory that the model comes from.
    let directory: ModelDirectory
    /// What its `config.json` says.
    let configuration: ModelConfiguration
    /// The model with its present weights, zeros in the place of what was removed.
    let model: DecoderModel
    /// The fingerprint of the directory.
    let fingerprint: String

    /// A model to write.
    ///
    /// - Parameters:
    ///   - directory: The directory that the model comes from.
    ///   - configuration: What its `config.json` says.
    ///   - model: The model with its present weights, in the shapes of the directory.
    ///   - fingerprint: The fingerprint of the directory.
    package init(
      _ directory: ModelDirectory,
      _ configuration: ModelConfiguration,
      model: DecoderModel,
      fingerprint: String
    ) {
      self.directory = directory
      self.configuration = configuration
      self.model = model
      self.fingerprint = fingerprint
    }
  }

  /// The changes to the directory.
  package private(set) var changes: CheckpointChanges
  /// What a person should know of the result, a line each.
  package private(set) var notes: [String] = []

  private var source: Source

  /// Works out how to write a model.
  ///
  /// - Parameters:
  ///   - source: The model.
  ///   - profile: The shapes to write.
  ///   - hasLegacyEntry: Whether `config.json` of packed weights tells old versions of
  ///     compressed-tensors about them; all matrices then get one format.
  ///   - changes: Changes that apply in every profile, such as replaced weights.
  /// - Throws: ``ExportError`` if the family or the source does not allow the profile, or what
  ///   reading the weights throws.
  package init(
    _ source: Source,
    as profile: Profile,
    hasLegacyEntry: Bool = false,
    changes: CheckpointChanges = CheckpointChanges()
  ) throws {
    self.source = source
    self.changes = changes
    guard !hasLegacyEntry || profile == .packed else {
      throw ExportError.legacyConfigurationUnused(profile)
    }
    try Self.check(profile, source.configuration)
    if SizePatch.hasLists(source.directory.configuration) { try takeLists(profile) }
    try writeZerosWithoutSign()
    switch profile {
    case .masked: break
    case .uniform: try writeUniform()
    case .perLayer: try writePerLayer()
    case .packed: try writePacked(hasLegacyEntry: hasLegacyEntry)
    }
  }

  /// Adds a file to the directory.
  package mutating func addFile(_ name: String, _ bytes: [UInt8]) {
    changes.extraFiles[name] = bytes
  }

  /// Refuses a profile that a model cannot be written in, before any work.
  ///
  /// - Parameters:
  ///   - profile: The profile.
  ///   - configuration: The model.
  /// - Throws: ``ExportError``.
  package static func check(
    _ profile: Profile,
    _ configuration: ModelConfiguration
  ) throws(ExportError) {
    let isKnown = FamilyClass.of(configuration.modelType) != nil
    guard isKnown || profile == .masked || profile == .packed else {
      throw .familyCannot(
        profile,
        family: configuration.modelType,
        possible: [.masked, .packed]
      )
    }
  }
}

extension HuggingFaceExport {
  private var decoder: DecoderDescription { source.configuration.decoder }

  /// The class of a family that ``check(_:_:)`` has let pass.
  private func familyClass(_ profile: Profile) throws(ExportError) -> FamilyClass {
    let family = source.configuration.modelType
    guard let known = FamilyClass.of(family) else {
      throw .familyCannot(profile, family: family, possible: [.masked, .packed])
    }
    return known
  }

  /// What can go, as far as the family lets it.
  private mutating func cut(_ family: FamilyClass) throws -> ModelCut {
    let free = try ModelCut(of: source.model)
    if free.shapes == decoder.blockShapes {
      notes.append("every neuron and head contributes something, so all keep their place")
    }
    guard !family.dropsHeads else { return free }
    let kept = free.keepingHeads(of: decoder)
    let heads = zip(kept.shapes, free.shapes).reduce(0) { $0 + $1.0.heads - $1.1.heads }
    if heads > 0 {
      notes.append(
        "\(heads) of the heads contribute nothing, but stay as zeros: "
          + "models of the family \(source.configuration.modelType) cannot have fewer"
      )
    }
    return kept
  }

  /// Copes with a source that has sizes of its own for each block: a profile of equal sizes fills
  /// up the smaller ones, the others need the class that reads the sizes.
  private mutating func takeLists(_ profile: Profile) throws {
    if profile == .uniform {
      let equal = try EqualBlocks(source, try familyClass(profile))
      source = equal.source
      changes.configuration.append(equal.patch)
    } else {
      let family = try familyClass(profile)
      changes.extraFiles[BlockClass.fileName] = Array(family.blockClass.source.utf8)
      notes.append("transformers loads this checkpoint with trust_remote_code=True only")
    }
  }

  /// Makes every zero of a linear layer a positive one: some software counts no other as pruned.
  private mutating func writeZerosWithoutSign() throws {
    let tensors = source.model.source
    for name in source.model.linears.flatMap({ [$0.weight] + ($0.bias.map { [$0] } ?? []) })
    where source.directory.tensors.description(of: name) != nil {
      let description = try tensors.existing(name)
      changes.substitutes[name] = [
        SafetensorsWriter.Tensor(
          name,
          description,
          bytes: { description.elementType.withoutNegativeZeros(try tensors.bytes(name)) }
        )
      ]
    }
  }

  private mutating func writeUniform() throws {
    let family = try familyClass(.uniform)
    let cut = try cut(family)
    let least = cut.largestShape
    let (shape, badge) = family.uniformSizes(atLeast: least, of: decoder)
    if shape.heads > least.heads {
      notes.append(
        "\(shape.heads) heads of each block stay although \(least.heads) would do: transformers "
          + "wants a divisor of the hidden size, \(decoder.hiddenSize)"
      )
    }
    if let badge {
      notes.append(
        "written as \(badge.modelType), which computes the same with \(shape.heads) heads"
      )
    }
    let padded = cut.padded(to: shape, source: decoder)
    try write(padded, as: .uniform, sizes.uniform(shape, badge: badge))
  }

  private mutating func writePerLayer() throws {
    let family = try familyClass(.perLayer)
    let cut = try cut(family)
    try write(cut, as: .perLayer, sizes.perLayer(cut, family))
    guard changes.extraFiles[BlockClass.fileName] == nil else { return }
    changes.extraFiles[BlockClass.fileName] = Array(family.blockClass.source.utf8)
    notes.append("transformers loads this checkpoint with trust_remote_code=True only")
  }

  private var sizes: SizePatch { SizePatch(source.configuration) }

  private mutating func write(
    _ cut: ModelCut,
    as profile: Profile,
    _ patch: ConfigurationPatch
  ) throws {
    let tensors = CutTensors(source.model, cut)
    for name in tensors.cutNames {
      let description = try tensors.existing(name)
      changes.substitutes[name] = [
        SafetensorsWriter.Tensor(name, description, bytes: { try tensors.bytes(name) })
      ]
    }
    changes.configuration.append(patch)
    let record = ExportRecord(profile: profile, source: source.fingerprint, cut: cut)
    changes.extraFiles[ExportRecord.fileName] = record.bytes()
  }

  private mutating func writePacked(hasLegacyEntry: Bool) throws {
    let packing = try Packing(source.model, inOneFormat: hasLegacyEntry)
    changes.substitutes.merge(packing.substitutes(source.model.source)) { $1 }
    if hasLegacyEntry, let entry = packing.legacyEntry {
      changes.configuration.assigned.append(.init(PackedConfiguration.key, entry))
    }
    let record = ExportRecord(
      profile: .packed,
      source: source.fingerprint,
      packed: packing.matrices.map { ("\($0.name)", $0.format) }
    )
    changes.extraFiles[ExportRecord.fileName] = record.bytes()
    notes.append(
      "only surgeon reads packed weights; 'surgeon export --profile masked' expands them"
    )
  }
}
