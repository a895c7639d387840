import ExactJSON
import GGUF
import Tensors
import Testing
import Transformer

@testable import Export

@Suite("The metadata of a GGUF file")
struct GGUFMetadataTests {
  private func integers(_ file: GGUFFile, _ key: String) -> [Int32]? {
    guard case .array(let array)? = file.value(key) else { return nil }
    return array.elements.compactMap { if case .int32(let value) = $0 { value } else { nil } }
  }

  @Test("the sizes and constants of a model with equal blocks are written once, for llama")
  func uniform() throws {
    let (file, _) = try GGUFSample().written()
    let expected: [GGUFEntry] = [
      GGUFEntry("general.architecture", .text("llama")),
      GGUFEntry("general.name", .text("sample")),
      GGUFEntry("general.file_type", .uint32(0)),
      GGUFEntry("llama.block_count", .uint32(2)),
      GGUFEntry("llama.context_length", .uint32(64)),
      GGUFEntry("llama.embedding_length", .uint32(8)),
      GGUFEntry("llama.feed_forward_length", .uint32(6)),
      GGUFEntry("llama.vocab_size", .uint32(5)),
      GGUFEntry("llama.attention.head_count", .uint32(4)),
      GGUFEntry("llama.attention.head_count_kv", .uint32(2)),
      GGUFEntry("llama.attention.key_length", .uint32(4)),
      GGUFEntry("llama.attention.value_length", .uint32(4)),
      GGUFEntry("llama.attention.layer_norm_rms_epsilon", .float32(1e-6)),
      GGUFEntry("llama.rope.dimension_count", .uint32(4)),
      GGUFEntry("llama.rope.freq_base", .float32(10_000)),
      GGUFEntry("tokenizer.ggml.model", .text("no_vocab")),
    ]
    #expect(file.metadata == expected)
  }

  @Test("a block whose attention adds nothing has none, but for the first and under llama")
  func attentionFree() throws {
    let all: Set = [0, 1, 2, 3]
    let (file, _) = try GGUFSample(deadHeads: [[], all]).written()
    #expect(integers(file, "deci.attention.head_count") == [4, 0])
    #expect(integers(file, "deci.attention.head_count_kv") == [2, 0])
    let names = file.names.map(\.description)
    #expect(!names.contains { $0.hasPrefix("blk.1.attn") })
    #expect(names.contains("blk.1.ffn_norm.weight") && names.contains("blk.0.attn_norm.weight"))
    let (first, _) = try GGUFSample(deadHeads: [all, []]).written()
    #expect(integers(first, "deci.attention.head_count_kv") == [1, 2])
    #expect(first.names.contains("blk.0.attn_q.weight"))
    let (own, _) = try GGUFSample(deadHeads: [[], all]).written { $0.architecture = .own }
    #expect(own.value("llama.attention.head_count") == .uint32(4))
    #expect(own.names.contains("blk.1.attn_q.weight"))
  }

  @Test("blocks of different sizes are written for deci, with a list of each size")
  func lists() throws {
    let sample = GGUFSample(
      deadNeurons: [[0, 2, 5], [1]],
      deadHeads: [[0, 1], []]
    )
    let (file, weights) = try sample.written()
    #expect(file.value("general.architecture") == .text("deci"))
    #expect(integers(file, "deci.feed_forward_length") == [3, 5])
    #expect(integers(file, "deci.attention.head_count") == [2, 4])
    #expect(integers(file, "deci.attention.head_count_kv") == [1, 2])
    #expect(file.value("deci.attention.key_length") == .uint32(4))
    #expect(file.value("deci.attention.value_length") == .uint32(4))
    #expect(file.value("deci.rope.dimension_count") == .uint32(4))
    #expect(file.description(of: "blk.0.attn_q.weight")?.shape == [8, 8])
    #expect(file.description(of: "blk.0.attn_k.weight")?.shape == [4, 8])
    #expect(file.description(of: "blk.0.attn_output.weight")?.shape == [8, 8])
    let up = try weights.floats("model.layers.0.mlp.up_proj.weight")
    let kept = [1, 3, 4].flatMap { up[$0 * 8..<($0 + 1) * 8] }
    #expect(try file.floats("blk.0.ffn_up.weight") == kept)
  }

  @Test("a block of which nothing is left keeps one head and one neuron, zero where it counts")
  func emptyBlock() throws {
    let sample = GGUFSample(
      deadNeurons: [Set(0..<6), []],
      deadHeads: [Set(0..<4), []]
    )
    let (file, _) = try sample.written()
    #expect(integers(file, "deci.feed_forward_length") == [1, 6])
    #expect(integers(file, "deci.attention.head_count") == [1, 4])
    #expect(integers(file, "deci.attention.head_count_kv") == [1, 2])
    for name: TensorName in ["blk.0.ffn_down.weight", "blk.0.attn_output.weight"] {
      let values = try file.floats(name)
      #expect(values.allSatisfy { $0.bitPattern == 0 }, "\(name)")
    }
  }

  @Test("the family's own architecture gives all blocks the sizes of the largest")
  func padded() throws {
    let sample = GGUFSample(
      deadNeurons: [[0, 2, 5], [1, 3]],
      deadHeads: [[0, 1], [2, 3]]
    )
    let (file, _) = try sample.written { $0.architecture = .own }
    #expect(file.value("general.architecture") == .text("llama"))
    #expect(file.value("llama.feed_forward_length") == .uint32(4))
    #expect(file.value("llama.attention.head_count") == .uint32(2))
    #expect(file.value("llama.attention.head_count_kv") == .uint32(1))
    #expect(file.description(of: "blk.0.ffn_gate.weight")?.shape == [4, 8])
    #expect(file.description(of: "blk.1.ffn_down.weight")?.shape == [8, 4])
  }

  @Test("deci can be asked for where blocks are alike")
  func deci() throws {
    let (file, _) = try GGUFSample().written { $0.architecture = .deci }
    #expect(integers(file, "deci.feed_forward_length") == [6, 6])
  }

  @Test("even rotary scaling becomes two keys")
  func linear() throws {
    let rope: JSONValue = ["rope_type": "linear", "rope_theta": 500_000, "factor": 4]
    let (file, _) = try GGUFSample(configuration: [("rope_parameters", rope)]).written()
    #expect(file.value("llama.rope.scaling.type") == .text("linear"))
    #expect(file.value("llama.rope.scaling.factor") == .float32(4))
    #expect(file.value("llama.rope.freq_base") == .float32(500_000))
    #expect(file.description(of: "rope_freqs.weight") == nil)
  }

  @Test("what llama.cpp does not compute is refused")
  func refused() throws {
    let relu = try ModelConfiguration(
      config: GGUFSample(configuration: [("hidden_act", "relu")]).document
    )
    #expect(
      throws: GGUFExportError.unsupportedArithmetic("its activation is relu, not silu")
    ) { try GGUFExport.check(relu) }
    let opt: JSONValue = [
      "model_type": "opt", "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1,
      "ffn_dim": 8, "vocab_size": 8, "max_position_embeddings": 8,
    ]
    #expect(throws: GGUFExportError.noArchitecture(family: "opt")) {
      try GGUFExport.check(try ModelConfiguration(config: opt))
    }
  }

  @Test("a model whose blocks differ already cannot have the family's own architecture")
  func differingSource() throws {
    let sample = GGUFSample(configuration: [("layer_intermediate_size", [6, 3])])
    let configuration = try ModelConfiguration(config: sample.document)
    let cut = ModelCut(blocks: configuration.decoder.blockShapes.map { BlockCut(keeping: $0) })
    #expect(
      throws: GGUFExportError.notOwn(
        architecture: "llama",
        reason: "needs blocks of the same sizes"
      )
    ) { try GGUFPlan(configuration, cut, .own) }
    #expect(try GGUFPlan(configuration, cut, .automatic).architecture == .deci)
  }

  @Test(
    "qwen2 needs heads as wide as the hidden state, and no bias but of queries, keys and values"
  )
  func obstacles() throws {
    let qwen2 = try #require(GGUFArchitecture.own.first { $0.name == "qwen2" })
    func obstacle(_ configuration: [(JSONText, JSONValue)], heads: Int) throws -> String? {
      var sample = GGUFSample(configuration: configuration)
      sample.headSize = 2
      let decoder = try ModelConfiguration(config: sample.document).decoder
      let shape = BlockShape(heads: heads, keyValueHeads: 2, innerSize: 6)
      return qwen2.obstacle(decoder, shapes: [shape, shape])
    }
    #expect(try obstacle([], heads: 4) == nil)
    #expect(try obstacle([], heads: 2)?.contains("hidden state") == true)
    #expect(try obstacle([("attention_bias", true)], heads: 4)?.contains("attentionOutput") == true)
    #expect(!qwen2.rotatesNeighbors)
  }
}
