import Checkpoint
import ExactJSON
import Tensors
import Transformer

/// A model's tensors with further ones beside them, which training needs a place for.
struct ExtendedTensors: TensorSource {
  /// What a further tensor holds at first.
  enum Content: Sendable {
    /// What another tensor holds.
    case copy(of: TensorName)
    /// Zeros.
    case zeros(TensorDescription)
  }

  let base: any TensorSource
  let added: [TensorName: Content]

  var names: [TensorName] { (base.names + added.keys).sorted() }

  func description(of name: TensorName) -> TensorDescription? {
    switch added[name] {
    case .copy(let other): base.description(of: other)
    case .zeros(let description): description
    case nil: base.description(of: name)
    }
  }

  func bytes(_ name: TensorName) throws -> [UInt8] {
    switch added[name] {
    case .copy(let other): try base.bytes(other)
    case .zeros(let description): [UInt8](repeating: 0, count: description.byteCount)
    case nil: try base.bytes(name)
    }
  }
}

/// How a model is changed in its make before it is trained: a head of its own, biases that it lacks.
struct ModelExtension {
  /// What changes in `config.json`.
  private(set) var patch = ConfigurationPatch()
  /// The tensors that are added, by the stored tensor that they are written beside.
  private(set) var addedBeside: [TensorName: [(TensorName, ExtendedTensors.Content)]] = [:]

  /// The tensors that are added.
  var added: [TensorName: ExtendedTensors.Content] {
    Dictionary(uniqueKeysWithValues: addedBeside.values.flatMap { $0 })
  }

  /// What a model needs for some groups to be trained.
  ///
  /// - Throws: ``JobError/badSetting(_:)`` for biases in a family that has no place for them.
  init(of opened: OpenedModel, for choice: TrainingChoice) throws {
    if choice.groups.contains(.head), opened.model.decoder.isTied { untieHead(of: opened.model) }
    if choice.addsBiases { try addBiases(to: opened) }
  }

  private mutating func untieHead(of model: DecoderModel) {
    patch.assigned.append(.init("tie_word_embeddings", false))
    let embedding = model.tokenEmbedding
    addedBeside[embedding, default: []].append((model.headTensor, .copy(of: embedding)))
  }

  private mutating func addBiases(to opened: OpenedModel) throws {
    guard opened.configuration.modelType == "llama" else {
      throw JobError.badSetting(
        "a model of the family \(opened.configuration.modelType) has no place for further biases"
      )
    }
    patch.assigned += [.init("attention_bias", true), .init("mlp_bias", true)]
    for linear in opened.model.linears where !linear.hasBias {
      let type = try opened.directory.tensors.existing(linear.weight).elementType
      let description = TensorDescription(elementType: type, shape: [linear.outputs])
      let stem = linear.weight.utf8.dropLast(".weight".utf8.count)
      let name = TensorName(utf8: stem + Array(".bias".utf8))
      let norm = opened.model.norms(ofBlock: linear.block).attention
      addedBeside[norm, default: []].append((name, .zeros(description)))
    }
  }

  /// The model as it is trained, with the values that it came with.
  func model(of opened: OpenedModel, with base: any TensorSource) throws -> DecoderModel {
    let configuration = try ModelConfiguration(
      config: patch.applied(to: opened.directory.configuration)
    )
    return try DecoderModel(
      configuration: configuration,
      source: added.isEmpty ? base : ExtendedTensors(base: base, added: added)
    )
  }
}
