import ExactJSON
import LinearAlgebra
import Tensors
import Testing

@testable import Transformer

/// A fixture whose weights a test silences in places.
private struct Masked {
  let fixture: Fixture
  var source: MemorySource

  init(_ name: String) throws {
    fixture = try Fixture(name)
    source = fixture.weights
  }

  func model() throws -> DecoderModel {
    try DecoderModel(configuration: ModelConfiguration(config: fixture.config), source: source)
  }

  private func linear(_ role: LinearRole, _ block: Int) throws -> LinearDescription {
    try #require(try model().linears.first { $0.role == role && $0.block == block })
  }

  /// Zeroes columns of a layer.
  mutating func zero(columns: [Int], of role: LinearRole, _ block: Int) throws {
    let linear = try linear(role, block)
    for row in 0..<linear.outputs {
      for column in columns { source.values[linear.weight]?[row * linear.inputs + column] = -0.0 }
    }
  }

  /// Zeroes rows of a layer and sets their biases, if it has any.
  mutating func zero(rows: [Int], bias: Double = 0, of role: LinearRole, _ block: Int) throws {
    let linear = try linear(role, block)
    for row in rows {
      for column in 0..<linear.inputs {
        source.values[linear.weight]?[row * linear.inputs + column] = 0
      }
      if let name = linear.bias { source.values[name]?[row] = bias }
    }
  }

  /// Zeroes the channels of heads in the output projection.
  mutating func silence(heads: [Int], _ block: Int) throws {
    let size = try model().decoder.headSize
    let columns = heads.flatMap { Array($0 * size..<($0 + 1) * size) }
    try zero(columns: columns, of: .attentionOutput, block)
  }

  /// The model that a cut leaves.
  func cut(_ cut: ModelCut) throws -> DecoderModel {
    let model = try model()
    var object = try #require(fixture.config.object)
    func list(_ size: (BlockShape) -> Int) -> JSONValue {
      .array(cut.shapes.map { JSONValue(size($0)) })
    }
    object["head_dim"] = JSONValue(model.decoder.headSize)
    object["layer_num_attention_heads"] = list(\.heads)
    object["layer_num_key_value_heads"] = list(\.keyValueHeads)
    object["layer_intermediate_size"] = list(\.innerSize)
    return try DecoderModel(
      configuration: ModelConfiguration(config: .object(object)),
      source: CutTensors(model, cut)
    )
  }

  /// Expects a cut to compute what the masked model does.
  func expectEqualLogits(_ cut: ModelCut, location: SourceLocation = #_sourceLocation) throws {
    let tokens = try fixture.tokens()
    let (narrow, wide) = (try self.cut(cut).logits(tokens), try model().logits(tokens))
    // Zeros are left out of sums: nothing may change but the order of roundings.
    #expect(
      relativeError(narrow.widened(), wide.widened()) <= 1e-6,
      sourceLocation: location
    )
  }
}

@Suite("Cutting what contributes nothing")
struct CutTests {
  static let names = ["opt", "llama", "llama3"]

  @Test("a model without zeros is cut nowhere, and stays as it is", arguments: names)
  func dense(name: String) throws {
    let model = try Masked(name).model()
    let cut = try ModelCut(of: model)
    #expect(cut.blocks == model.decoder.blockShapes.map { BlockCut(keeping: $0) })
    #expect(CutTensors(model, cut).cutNames.isEmpty)
  }

  @Test("neurons behind zero columns go, and the logits stay", arguments: names)
  func columns(name: String) throws {
    var masked = try Masked(name)
    try masked.zero(columns: [0, 5, 6, 39], of: .down, 0)
    try masked.zero(columns: [7], of: .down, 1)
    let model = try masked.model()
    let cut = try ModelCut(of: model)
    let inner = model.decoder.blockShapes[0].innerSize
    #expect(cut.blocks[0].neurons == (0..<inner).filter { ![0, 5, 6, 39].contains($0) })
    #expect(cut.blocks[1].neurons == (0..<inner).filter { $0 != 7 })
    try masked.expectEqualLogits(cut)
  }

  @Test("gated neurons go when either factor is zero", arguments: [LinearRole.up, .gate])
  func gated(role: LinearRole) throws {
    var masked = try Masked("llama3")
    try masked.zero(rows: [3, 4], of: role, 1)
    let cut = try ModelCut(of: try masked.model())
    #expect(![3, 4].contains { cut.blocks[1].neurons.contains($0) })
    #expect(cut.blocks[0].neurons == cut.blocks[0].neurons.indices.map { $0 })
    try masked.expectEqualLogits(cut)
  }

  @Test("a ReLU of a constant goes unless the constant is positive")
  func constants() throws {
    var masked = try Masked("opt")
    try masked.zero(rows: [1], bias: 0, of: .up, 0)
    try masked.zero(rows: [2], bias: -0.5, of: .up, 0)
    try masked.zero(rows: [3], bias: 0.5, of: .up, 0)
    let cut = try ModelCut(of: try masked.model())
    #expect(cut.blocks[0].neurons.prefix(3) == [0, 3, 4])
    try masked.expectEqualLogits(cut)
  }

  @Test("a head goes with its output columns or its values; a constant value stays")
  func heads() throws {
    var masked = try Masked("opt")
    let size = try masked.model().decoder.headSize
    try masked.silence(heads: [1], 0)
    try masked.zero(rows: Array(2 * size..<3 * size), bias: 0, of: .value, 0)
    try masked.zero(rows: Array(0..<size), bias: 0.25, of: .value, 1)
    // One channel here, the others there.
    try masked.zero(columns: [3 * size], of: .attentionOutput, 1)
    try masked.zero(rows: Array(3 * size + 1..<4 * size), bias: 0, of: .value, 1)
    let cut = try ModelCut(of: try masked.model())
    #expect(cut.blocks[0].heads == [0, 3])
    #expect(cut.blocks[0].keyValueHeads == [0, 3])
    #expect(cut.blocks[1].heads == [0, 1, 2])
    try masked.expectEqualLogits(cut)
  }

  @Test("heads that share keys go as whole groups, or as many of each")
  func groups() throws {
    var masked = try Masked("llama3")
    let shape = try masked.model().decoder.blockShapes[0]
    try #require(shape.heads == 4 && shape.keyValueHeads == 2)
    try masked.silence(heads: [0, 1], 0)
    try masked.silence(heads: [1, 2], 1)
    let both = try ModelCut(of: try masked.model())
    #expect(both.blocks[0].heads == [2, 3] && both.blocks[0].keyValueHeads == [1])
    #expect(both.blocks[1].heads == [0, 3] && both.blocks[1].keyValueHeads == [0, 1])
    try masked.expectEqualLogits(both)
    var uneven = try Masked("llama3")
    try uneven.silence(heads: [2], 0)
    let kept = try ModelCut(of: try uneven.model())
    #expect(kept.blocks[0].heads == [0, 1, 2, 3])
  }

  @Test("one neuron and one head of a dead block stay", arguments: names)
  func last(name: String) throws {
    var masked = try Masked(name)
    let shape = try masked.model().decoder.blockShapes[1]
    try masked.zero(columns: Array(0..<shape.innerSize), of: .down, 1)
    try masked.silence(heads: Array(0..<shape.heads), 1)
    let cut = try ModelCut(of: try masked.model())
    #expect(cut.blocks[1] == BlockCut(heads: [0], keyValueHeads: [0], neurons: [0]))
    try masked.expectEqualLogits(cut)
  }

  @Test(
    "equal sizes: the largest of all blocks, filled with the lowest dead units",
    arguments: names
  )
  func uniform(name: String) throws {
    var masked = try Masked(name)
    try masked.zero(columns: [0, 2, 5, 9], of: .down, 0)
    try masked.zero(columns: [1, 4], of: .down, 1)
    try masked.silence(heads: [0, 1], 0)
    let decoder = try masked.model().decoder
    let cut = try ModelCut(of: try masked.model())
    let padded = cut.padded(to: cut.largestShape, source: decoder)
    #expect(Set(padded.shapes.map(\.innerSize)) == [decoder.blockShapes[0].innerSize - 2])
    #expect(Set(padded.shapes.map(\.heads)) == [4])
    #expect(padded.blocks[0].neurons.prefix(6) == [0, 1, 2, 3, 4, 6])
    #expect(padded.blocks[1] == cut.blocks[1])
    #expect(try masked.cut(padded).decoder.uniformShape == cut.largestShape)
    try masked.expectEqualLogits(padded)
    let neuronsAlone = cut.keepingHeads(of: decoder)
    #expect(neuronsAlone.blocks[0].heads == [0, 1, 2, 3])
    #expect(neuronsAlone.blocks[0].neurons == cut.blocks[0].neurons)
  }

  @Test("stored bits stay, but for negative zeros", arguments: [ElementType.float32, .bfloat16])
  func bits(type: ElementType) throws {
    let description = TensorDescription(elementType: type, shape: [4])
    var bytes = try description.bytes(of: [1.5, 0, -2, 0], name: "w")
    bytes[2 * type.byteCount - 1] = 0x80
    let expected = try description.bytes(of: [1.5, 0, -2, 0], name: "w")
    #expect(type.withoutNegativeZeros(bytes) == expected)
    #expect(ElementType.int32.withoutNegativeZeros([0, 0, 0, 0x80]) == [0, 0, 0, 0x80])
  }
}
