import LinearAlgebra
import Tensors
import Training
import Transformer

extension TrainedModel {
  /// The part of a model that is trained; the rest keeps its values.
  struct Scope: Sendable {
    /// The blocks.
    var blocks: Range<Int>
    /// The halves of these blocks.
    var parts: BlockParts = .all
    /// Whether the embeddings, the last norm and the output projection belong to it.
    var hasHead = true
  }

  /// Makes a place for every value that is trained.
  ///
  /// - Parameters:
  ///   - base: The model, with places for what is added.
  ///   - choice: What is trained.
  ///   - scope: The part of the model that is trained; all of it if nil.
  /// - Throws: `TrainingError` for plain LoRA on a matrix with zeros, ``JobError/badSetting(_:)`` if
  ///   nothing is left to train, and what reading the weights throws.
  init(_ base: DecoderModel, _ choice: TrainingChoice, scope: Scope? = nil) throws {
    var sites = SiteList(source: base.source, choice: choice)
    let scope = scope ?? Scope(blocks: 0..<base.decoder.blocks)
    for block in scope.blocks {
      for linear in base.linears
      where linear.block == block && scope.parts.contains(linear.role.part) {
        try sites.add(linear)
      }
      let norms = base.normTensors(ofBlock: block)
      if scope.parts.contains(.attention) { try sites.add(norms.attention) }
      if scope.parts.contains(.feedForward) { try sites.add(norms.feedForward) }
    }
    if scope.hasHead {
      try sites.add(base.finalNormTensors)
      if choice.groups.contains(.embeddings) { try sites.addEmbeddings(of: base) }
      if choice.groups.contains(.head), let name = base.outputHead {
        try sites.addHead(name, base.decoder)
      }
    }
    guard !sites.parameters.isEmpty else {
      let names = choice.groups.sortedGroups.map(\.rawValue).joined(separator: ", ")
      throw JobError.badSetting("the model has nothing to train of: \(names)")
    }
    self.base = base
    self.sites = sites.sites
    parameters = sites.parameters
  }
}

/// The places and start values of what is trained, in the making.
private struct SiteList {
  let source: any TensorSource
  let choice: TrainingChoice
  var sites: [TensorName: TrainedModel.Site] = [:]
  var parameters: [Parameter] = []

  /// Adds what is trained of a linear layer.
  mutating func add(_ linear: LinearDescription) throws {
    let needsMatrix = choice.groups.contains(where: \.changesMatrices)
    let trainsBias = choice.groups.contains(.biases) && linear.hasBias
    guard needsMatrix || trainsBias else { return }
    let weight = Matrix(
      rows: linear.outputs,
      columns: linear.inputs,
      storage: try source.floats(linear.weight)
    )
    for group in choice.groups.sortedGroups {
      if let kind = group.adapter { try add(kind, to: linear.weight, weight) }
      if group == .full { addValues(of: linear.weight, weight) }
    }
    if trainsBias, let bias = linear.bias { try addBias(bias, of: weight) }
  }

  /// Adds what is trained of a norm.
  mutating func add(_ norm: NormTensors) throws {
    if choice.groups.contains(.norms) { try addValues(norm.weight, decays: false) }
    if choice.groups.contains(.biases), let bias = norm.bias {
      try addValues(bias, decays: false)
    }
  }

  /// Adds the embeddings and the output projection; a tied one that is stored twice is one value.
  mutating func addEmbeddings(of model: DecoderModel) throws {
    try addValues(model.tokenEmbedding, decays: true)
    if model.decoder.isTied, source.description(of: model.headTensor) != nil {
      sites[model.headTensor] = sites[model.tokenEmbedding]
    }
    if let positions = model.positionEmbedding { try addValues(positions.name, decays: true) }
    if let head = model.outputHead { try addValues(head, decays: true) }
  }

  /// Adds the factors of the output projection.
  mutating func addHead(_ name: TensorName, _ decoder: DecoderDescription) throws {
    let weight = Matrix(
      rows: decoder.vocabulary,
      columns: decoder.hiddenSize,
      storage: try source.floats(name)
    )
    try add(.lora, to: name, weight, isPrunable: false)
  }

  private mutating func append(_ name: String, _ values: [Float], decays: Bool) -> Int {
    parameters.append(Parameter(name, values, decays: decays))
    return parameters.count - 1
  }

  private mutating func add(
    _ kind: AdapterKind,
    to name: TensorName,
    _ weight: Matrix<Float>,
    isPrunable: Bool = true
  ) throws {
    let adapter = try Adapter(
      kind,
      "\(name)",
      of: weight,
      try AdapterShape(rank: choice.rank, alpha: choice.alpha),
      isPrunable: isPrunable
    )
    let start = adapter.start(seed: choice.seed)
    sites[name] = .adapted(
      adapter,
      a: append("\(name).A", start.a, decays: true),
      b: append("\(name).B", start.b, decays: true)
    )
  }

  private mutating func addValues(of name: TensorName, _ weight: Matrix<Float>) {
    sites[name] = .masked(
      append("\(name)", weight.storage, decays: true),
      WeightMask(of: weight.storage)
    )
  }

  /// A bias whose row is pruned as a whole, itself included, stays zero.
  private mutating func addBias(_ name: TensorName, of weight: Matrix<Float>) throws {
    let values = try source.floats(name)
    let width = weight.columns
    let marks = values.indices.map { row -> Float in
      let isPruned =
        values[row] == 0
        && !weight.storage[row * width..<(row + 1) * width].contains { $0 != 0 }
      return isPruned ? 0 : 1
    }
    sites[name] = .bias(append("\(name)", values, decays: false), keeping: WeightMask(of: marks))
  }

  private mutating func addValues(_ name: TensorName, decays: Bool) throws {
    sites[name] = .values(append("\(name)", try source.floats(name), decays: decays))
  }
}
