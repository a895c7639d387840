internal import Transformer

/// What one of llama.cpp's model architectures expects.
struct GGUFArchitecture: Equatable, Sendable {
  /// Its name, the value of `general.architecture` and the first part of its keys.
  let name: String
  /// Whether a rotation turns channels 2i and 2i + 1 of a head, not i and i + half.
  let rotatesNeighbors: Bool
  /// Whether each block has its own numbers of heads and neurons.
  let hasBlockSizes: Bool
  /// The linear layers that may have a bias.
  let biased: Set<LinearRole>
  /// Whether the heads together must be as wide as the hidden state.
  let fillsHiddenState: Bool

  /// The architecture of DeciLM, which runs Llama-like models with blocks of different sizes.
  static let deci = GGUFArchitecture(
    name: "deci",
    rotatesNeighbors: true,
    hasBlockSizes: true,
    biased: Set(LinearRole.allCases),
    fillsHiddenState: false
  )

  /// The architectures that families have of their own.
  static let own = [
    GGUFArchitecture(
      name: "llama",
      rotatesNeighbors: true,
      hasBlockSizes: false,
      biased: Set(LinearRole.allCases),
      fillsHiddenState: false
    ),
    GGUFArchitecture(
      name: "qwen2",
      rotatesNeighbors: false,
      hasBlockSizes: false,
      biased: [.query, .key, .value],
      fillsHiddenState: true
    ),
  ]

  /// The architecture of a family.
  ///
  /// - Parameter configuration: A model of the family.
  /// - Returns: The architecture.
  /// - Throws: ``GGUFExportError/noArchitecture(family:)``.
  static func own(of configuration: ModelConfiguration) throws(GGUFExportError) -> GGUFArchitecture
  {
    guard let architecture = own.first(where: { $0.name == configuration.ggufArchitecture }) else {
      throw .noArchitecture(family: configuration.modelType)
    }
    return architecture
  }

  /// Why a model cannot have this architecture, if it cannot.
  ///
  /// - Parameters:
  ///   - decoder: The model.
  ///   - shapes: The sizes of its blocks as they would be written.
  /// - Returns: The reason as the end of a sentence, or nil.
  func obstacle(_ decoder: DecoderDescription, shapes: [BlockShape]) -> String? {
    let additional = decoder.biased.subtracting(biased)
    if !additional.isEmpty {
      return "has no bias in \(additional.map(\.rawValue).sorted().joined(separator: ", "))"
    }
    guard !hasBlockSizes else { return nil }
    guard let first = shapes.first, shapes.allSatisfy({ $0 == first }) else {
      return "needs blocks of the same sizes"
    }
    if fillsHiddenState, first.heads * decoder.headSize != decoder.hiddenSize {
      return "needs heads that are as wide together as the hidden state"
    }
    return nil
  }
}
