internal import Tensors
internal import Transformer

/// Which architecture a model is written as, and what is kept of it.
struct GGUFPlan {
  /// llama.cpp keeps the sizes of this many blocks.
  static let mostBlocks = 512

  let architecture: GGUFArchitecture
  let cut: ModelCut
  /// The blocks that are written without an attention part.
  private(set) var attentionFree: Set<Int> = []

  /// Chooses the architecture and the sizes.
  ///
  /// The family's own architecture needs blocks of one size: where they are asked for although
  /// blocks differ, all keep as much as the largest.
  ///
  /// - Parameters:
  ///   - configuration: The model before the cut.
  ///   - cut: What can be kept at least.
  ///   - choice: What the person wants.
  /// - Throws: ``GGUFExportError``.
  init(
    _ configuration: ModelConfiguration,
    _ cut: ModelCut,
    _ choice: ExportArchitecture
  ) throws(GGUFExportError) {
    let decoder = configuration.decoder
    let own = try GGUFArchitecture.own(of: configuration)
    try Self.check(decoder)
    let uniform = cut.padded(to: cut.largestShape, source: decoder)
    switch choice {
    case .automatic:
      let fitsOwn = own.obstacle(decoder, shapes: cut.shapes) == nil
      architecture = fitsOwn ? own : .deci
      self.cut = cut
    case .own:
      if let reason = own.obstacle(decoder, shapes: uniform.shapes) {
        throw .notOwn(architecture: own.name, reason: reason)
      }
      architecture = own
      self.cut = uniform
    case .deci:
      architecture = .deci
      self.cut = cut
    }
  }

  /// Leaves out attention parts that add nothing, where the architecture can.
  ///
  /// llama.cpp takes the size of a head from the first block, which so keeps its part.
  ///
  /// - Parameter blocks: The blocks whose attention part adds nothing.
  mutating func leaveOutAttention(of blocks: [Int]) {
    guard architecture.hasBlockSizes else { return }
    attentionFree = Set(blocks.filter { $0 > 0 })
  }

  /// Refuses what no Llama-like architecture computes.
  static func check(_ decoder: DecoderDescription) throws(GGUFExportError) {
    guard decoder.blocks <= mostBlocks else { throw .tooManyBlocks(decoder.blocks) }
    guard decoder.norm == .rootMeanSquare, decoder.isGated, case .rotary = decoder.position else {
      throw .unsupportedArithmetic("its blocks are not those of Llama")
    }
    guard decoder.activation == .silu else {
      throw .unsupportedArithmetic("its activation is \(decoder.activation.rawValue), not silu")
    }
  }
}
