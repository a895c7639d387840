package import Tensors

/// The precision of the factors of products with weights; sums are in single precision always.
package enum ProductPrecision: Sendable {
  /// Single precision.
  case float32
  /// Weights, and what they are multiplied by, are rounded to bfloat16.
  case bfloat16
}

/// A decoder-only transformer whose weights are read from a source one block at a time.
package struct DecoderModel: Sendable {
  /// What the configuration says about the model.
  package let decoder: DecoderDescription
  /// All linear layers of the blocks, block after block, in the order of ``LinearRole``.
  package let linears: [LinearDescription]
  /// The groups of layers that read the same input, block after block.
  package let inputGroups: [InputGroup]
  /// What the layers' rows and columns mean to each other.
  package let couplings: [Coupling]
  let layout: TensorLayout
  /// The weights.
  package private(set) var source: any TensorSource
  /// In what products with the weights of linear layers and of the head are computed.
  package private(set) var products = ProductPrecision.float32

  /// Checks that a source holds every tensor of a model, in the right shape and no others in the
  /// blocks.
  ///
  /// - Parameters:
  ///   - configuration: The model's `config.json`.
  ///   - source: The weights; read later, block by block.
  /// - Throws: ``ModelError`` naming the first tensor that is missing, misshapen or unaccounted for.
  package init(
    configuration: ModelConfiguration,
    source: any TensorSource
  ) throws(ModelError) {
    decoder = configuration.decoder
    layout = TensorLayout(configuration, source)
    self.source = source
    try layout.check(source)
    linears = layout.linears()
    let roles = decoder.roles
    let perBlock = roles.count
    func position(_ role: LinearRole, _ block: Int) -> Int {
      // Every role asked for is one of the decoder's.
      block * perBlock + (roles.firstIndex(of: role) ?? 0)
    }
    let blocks = 0..<decoder.blocks
    let described = linears
    let decoder = decoder
    inputGroups = blocks.flatMap { block in
      LinearRole.groups(of: decoder).map { roles in
        let members = roles.map { position($0, block) }
        let first = described[members[0]]
        return InputGroup(
          name: first.inputGroup,
          block: block,
          linears: members,
          inputs: first.inputs,
          hasBias: first.hasBias
        )
      }
    }
    couplings = blocks.flatMap { block in
      Coupling.couplings(of: decoder, block: block) { position($0, block) }
    }
  }

  /// The same model with other values, in tensors of the same names and shapes.
  ///
  /// - Parameter source: The weights; a tensor that is missing is found when it is read.
  /// - Returns: The model.
  package func with(_ source: any TensorSource) -> DecoderModel {
    var model = self
    model.source = source
    return model
  }

  /// The same model with products of another precision.
  ///
  /// - Parameter products: The precision of both factors; sums are in single precision.
  /// - Returns: The model.
  package func multiplying(in products: ProductPrecision) -> DecoderModel {
    var model = self
    model.products = products
    return model
  }
}
