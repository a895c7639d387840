import Tensors

/// Under which names and in which shapes a checkpoint stores a model's tensors.
struct TensorLayout: Sendable {
  let decoder: DecoderDescription
  let names: DecoderFamily.TensorNames
  let learnedRows: Int?
  /// What precedes the names of all tensors but the head's: the family's root, or nothing.
  let prefix: String

  init(_ configuration: ModelConfiguration, _ source: any TensorSource) {
    decoder = configuration.decoder
    names = configuration.family.names
    learnedRows = configuration.family.learnedPositionOffset.map {
      configuration.decoder.positions + $0
    }
    let bare = TensorName(names.tokenEmbedding + ".weight")
    let isBare =
      source.description(of: bare) != nil
      && source.description(of: TensorName(names.root + "\(bare)")) == nil
    prefix = isBare ? "" : names.root
  }

  var tokenEmbedding: TensorName { TensorName("\(prefix)\(names.tokenEmbedding).weight") }
  var positionEmbedding: TensorName? {
    names.positionEmbedding.map { TensorName("\(prefix)\($0).weight") }
  }
  var finalNorm: String { prefix + names.finalNorm }
  /// The stored output projection; absent from the checkpoint where it is tied.
  var head: TensorName { TensorName("\(names.head).weight") }

  func attentionNorm(_ block: Int) -> String { "\(modules(block)).\(names.attentionNorm)" }
  func feedForwardNorm(_ block: Int) -> String { "\(modules(block)).\(names.feedForwardNorm)" }

  /// What precedes the number of the block in the names of the blocks' tensors.
  var blocksStart: [UInt8] { Array("\(prefix)\(names.blocks).".utf8) }

  /// What precedes the names of a block's tensors as stored.
  private func modules(_ block: Int) -> String { "\(prefix)\(names.blocks).\(block)" }

  /// The linear layers, block after block.
  func linears() -> [LinearDescription] {
    (0..<decoder.blocks).flatMap { block in
      LinearRole.groups(of: decoder).flatMap { group in
        group.map { linear($0, block: block, group: group[0]) }
      }
    }
  }

  func linear(_ role: LinearRole, block: Int, group: LinearRole? = nil) -> LinearDescription {
    let path = names.linears[role] ?? role.rawValue
    let leader = names.linears[group ?? role] ?? role.rawValue
    let shape = decoder.shape(of: role, block: block)
    let stored = "\(modules(block)).\(path)"
    let module = "\(names.root)\(names.blocks).\(block)"
    return LinearDescription(
      name: "\(module).\(path)",
      kind: path.split(separator: ".").last.map(String.init) ?? path,
      role: role,
      block: block,
      weight: TensorName("\(stored).weight"),
      bias: decoder.biased.contains(role) ? TensorName("\(stored).bias") : nil,
      outputs: shape.outputs,
      inputs: shape.inputs,
      inputGroup: "\(module).\(leader)"
    )
  }

  /// The tensors of a norm with their shapes.
  private func norm(_ module: String) -> [(TensorName, [Int])] {
    let weight = (TensorName("\(module).weight"), [decoder.hiddenSize])
    guard decoder.norm == .layer else { return [weight] }
    return [weight, (TensorName("\(module).bias"), [decoder.hiddenSize])]
  }

  /// The tensors of a block with their shapes.
  private func block(_ block: Int) -> [(TensorName, [Int])] {
    let linears = decoder.roles.flatMap { role -> [(TensorName, [Int])] in
      let linear = linear(role, block: block)
      let weight = (linear.weight, [linear.outputs, linear.inputs])
      return [weight] + (linear.bias.map { [($0, [linear.outputs])] } ?? [])
    }
    return norm(attentionNorm(block)) + norm(feedForwardNorm(block)) + linears
  }

  /// The tensors around the blocks with their shapes.
  private func surroundings() -> [(TensorName, [Int])] {
    var tensors = [(tokenEmbedding, [decoder.vocabulary, decoder.hiddenSize])]
    if let positionEmbedding, let learnedRows {
      tensors.append((positionEmbedding, [learnedRows, decoder.hiddenSize]))
    }
    tensors += norm(finalNorm)
    if !decoder.isTied { tensors.append((head, [decoder.vocabulary, decoder.hiddenSize])) }
    return tensors
  }

  /// Refuses a source that lacks a tensor, or has one in another shape or type or one too many.
  func check(_ source: any TensorSource) throws(ModelError) {
    var expected: Set<TensorName> = []
    for (name, shape) in surroundings() { try check(name, shape, source) }
    for number in 0..<decoder.blocks {
      for (name, shape) in block(number) {
        try check(name, shape, source)
        expected.insert(name)
      }
    }
    for name in source.names where name.utf8.starts(with: blocksStart) && !expected.contains(name) {
      let isIgnored = names.ignoredEndings.contains {
        name.utf8.reversed().starts(with: $0.utf8.reversed())
      }
      guard isIgnored else { throw .unexpectedTensor(name) }
    }
  }

  private func check(
    _ name: TensorName,
    _ shape: [Int],
    _ source: any TensorSource
  ) throws(ModelError) {
    guard let found = source.description(of: name) else { throw .missingTensor(name) }
    guard found.shape == shape else {
      throw .wrongShape(name, expected: shape, found: found.shape)
    }
    switch found.elementType {
    case .float16, .bfloat16, .float32, .float64: return
    default: throw .wrongElementType(name, found: found.elementType)
    }
  }
}
