import Checkpoint
import ExactJSON
import Export
import Tensors
import TestKit
import Testing
import Transformer

@Suite("Packing")
struct PackingTests {
  /// Two of four kept everywhere but in one layer, and neurons gone there.
  static func sparse(_ name: String, _ type: ElementType) throws -> MaskedModel {
    try MaskedModel(name, type) { linear in
      linear.role == .down && linear.block == 0 ? .columns(Array(4..<24)) : .halves
    }
  }

  @Test(
    "expanded again, the weights are the same bytes as before",
    arguments: ["opt", "llama3"],
    [ElementType.float32, .bfloat16, .float16]
  )
  func expansion(name: String, type: ElementType) throws {
    let masked = try Self.sparse(name, type)
    let (packed, _) = try masked.export(as: .packed)
    #expect(try packed.fingerprint() == masked.directory.fingerprint())
    _ = try masked.export(as: .masked, from: packed, to: "expanded")
    for file in ["config.json", "model.safetensors"] {
      #expect(try masked.scratch.read("expanded/\(file)") == masked.scratch.read("in/\(file)"))
    }
  }

  @Test("each matrix takes the layout that is smallest, and dense ones stay")
  func choice() throws {
    let masked = try MaskedModel("llama3", .bfloat16) { linear in
      switch linear.role {
      case .up: .halves
      case .down: .columns(Array(0..<44 / 2) + [30, 31])
      default: nil
      }
    }
    _ = try masked.export(as: .packed)
    let record = try JSONParser.parse(try masked.scratch.read("out/surgeon.json"))
    let packed = try #require(record["packed"]?.object).members
    #expect(packed.count == 4)
    for (name, format) in packed {
      let expected = name.string.contains("up_proj") ? "sparse-24-bitmask" : "sparse-bitmask"
      #expect(format == JSONValue(expected), "\(name.string)")
    }
  }

  @Test(
    "the size is that of the kept weights and the masks",
    arguments: [ElementType.float32, .bfloat16]
  )
  func size(type: ElementType) throws {
    let masked = try MaskedModel("llama", type) { _ in .halves }
    let model = try masked.model(masked.directory)
    let (packed, _) = try masked.export(as: .packed)
    var expected = try MaskedModel.parameters(masked.directory) * type.byteCount
    for linear in model.linears {
      let count = linear.outputs * linear.inputs
      expected -= count / 2 * type.byteCount
      expected += linear.outputs * ((linear.inputs + 7) / 8)
    }
    let file = try masked.scratch.read("out/model.safetensors")
    let header = 8 + file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(abs(file.count - header - expected) <= expected / 100)
    #expect(try masked.logitError(of: packed) == 0)
  }

  @Test("groups with fewer than two elements keep two slots; the rest of a row is no group")
  func underfull() throws {
    // Twelve inputs of each row of `down` are kept at most, in 44 columns: half a byte at the end.
    let masked = try MaskedModel("llama", .float32) { linear in
      linear.role == .down ? .columns((0..<44).filter { $0 % 4 > 1 } + [0, 4, 41]) : .halves
    }
    let (packed, _) = try masked.export(as: .packed, hasLegacyEntry: true)
    _ = try masked.export(as: .masked, from: packed, to: "expanded")
    #expect(
      try masked.scratch.read("expanded/model.safetensors")
        == masked.scratch.read("in/model.safetensors")
    )
    let document = try JSONParser.parse(try masked.scratch.read("out/config.json"))
    let entry = document["quantization_config"]?["sparsity_config"]
    #expect(entry?["format"] == "sparse-24-bitmask")
    #expect(packed.configuration["quantization_config"] == nil)
    #expect(throws: ExportError.legacyConfigurationUnused(.uniform)) {
      try masked.export(as: .uniform, to: "no", hasLegacyEntry: true)
    }
  }
}
