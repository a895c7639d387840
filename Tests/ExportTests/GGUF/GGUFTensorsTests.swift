import ExactJSON
import Export
import Foundation
import GGUF
import Tensors
import TestKit
import Testing

@Suite("The tensors of a GGUF file")
struct GGUFTensorsTests {
  private static let attention = [
    ("attn_q", "self_attn.q_proj"), ("attn_k", "self_attn.k_proj"), ("attn_v", "self_attn.v_proj"),
    ("attn_output", "self_attn.o_proj"),
  ]
  private static let others = [
    ("ffn_gate", "mlp.gate_proj"), ("ffn_up", "mlp.up_proj"), ("ffn_down", "mlp.down_proj"),
    ("attn_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm"),
  ]

  @Test("all tensors are there, no others, with the shapes of the model")
  func names() throws {
    let (file, weights) = try GGUFSample(configuration: [("attention_bias", true)]).written()
    var expected: [(TensorName, TensorName)] = [
      ("token_embd.weight", "model.embed_tokens.weight"), ("output.weight", "lm_head.weight"),
      ("output_norm.weight", "model.norm.weight"),
    ]
    for block in 0..<2 {
      for (name, source) in Self.attention + Self.others {
        let source = "model.layers.\(block).\(source)"
        expected.append((TensorName("blk.\(block).\(name).weight"), TensorName("\(source).weight")))
        guard source.contains("self_attn") else { continue }
        expected.append((TensorName("blk.\(block).\(name).bias"), TensorName("\(source).bias")))
      }
    }
    #expect(file.names == expected.map(\.0).sorted())
    for (name, source) in expected {
      let isRotated = "\(name)".contains("attn_q") || "\(name)".contains("attn_k")
      #expect(file.description(of: name)?.shape == weights.description(of: source)?.shape)
      #expect(try file.floats(name) == weights.floats(source) || isRotated, "\(name)")
    }
  }

  @Test("row a·d/2 + b of a head becomes row 2b + a, in queries, keys and their biases")
  func rotation() throws {
    let (file, weights) = try GGUFSample(configuration: [("attention_bias", true)]).written()
    let size = GGUFSample().headSize
    for (name, source, heads) in [
      ("attn_q", "q_proj", GGUFSample.heads), ("attn_k", "k_proj", GGUFSample.groups),
    ] {
      for (kind, width) in [("weight", GGUFSample.hidden), ("bias", 1)] {
        let found = try file.floats(TensorName("blk.1.\(name).\(kind)"))
        let stored = try weights.floats(TensorName("model.layers.1.self_attn.\(source).\(kind)"))
        var expected = stored
        for head in 0..<heads {
          for half in 0..<2 {
            for pair in 0..<size / 2 {
              let from = head * size + half * size / 2 + pair
              let to = head * size + 2 * pair + half
              for column in 0..<width {
                expected[to * width + column] = stored[from * width + column]
              }
            }
          }
        }
        #expect(expected != stored)
        #expect(found == expected, "\(name).\(kind)")
      }
    }
  }

  @Test("a tied output projection is left out")
  func tied() throws {
    let (file, _) = try GGUFSample(configuration: [("tie_word_embeddings", true)]).written()
    #expect(file.description(of: "output.weight") == nil)
    #expect(file.description(of: "token_embd.weight") != nil)
  }

  @Test(
    "matrices have the chosen precision, vectors single precision",
    arguments: [(ElementType.float32, UInt32(0)), (.float16, 1), (.bfloat16, 32)]
  )
  func precision(type: ElementType, number: UInt32) throws {
    let sample = GGUFSample(configuration: [("attention_bias", true)])
    let (file, weights) = try sample.written { $0.precision = type }
    for name in file.names {
      let description = try #require(file.description(of: name))
      #expect(description.elementType == (description.shape.count == 1 ? .float32 : type))
    }
    #expect(
      try file.floats("blk.0.ffn_up.weight")
        == weights.floats("model.layers.0.mlp.up_proj.weight")
    )
    #expect(file.value("general.file_type") == .uint32(number))
  }

  @Test("uneven rotary scaling becomes a tensor of divisors, as llama.cpp computes them")
  func rotaryDivisors() throws {
    var sample = GGUFSample(configuration: [
      (
        "rope_parameters",
        [
          "rope_type": "llama3", "rope_theta": 10000, "factor": 8, "low_freq_factor": 1,
          "high_freq_factor": 4, "original_max_position_embeddings": 1024,
        ]
      )
    ])
    sample.headSize = 16
    let (file, _) = try sample.written()
    let found = try file.floats("rope_freqs.weight")
    let expected = (0..<8).map { pair -> Double in
      let length = 2 * Double.pi * pow(10_000, 2 * Double(pair) / 16)
      if length < 1024 / 4 { return 1 }
      if length > 1024 { return 8 }
      let smooth = (1024 / length - 1) / (4 - 1)
      return 1 / ((1 - smooth) / 8 + smooth)
    }
    #expect(Set(expected).count >= 3)
    #expect(found.count == 8)
    for (one, other) in zip(found, expected) { #expect(abs(Double(one) - other) < 1e-6 * other) }
    #expect(file.value("llama.rope.scaling.type") == nil)
  }
}
