import ExactJSON
import Export
import GGUF
import Tensors
import TestKit
import Transformer

/// A small random model in memory, written as GGUF and read back.
struct GGUFSample {
  /// Keys of `config.json` beyond the sizes.
  var configuration: [(JSONText, JSONValue)] = []
  /// The zeroed units: neurons and query heads of each block.
  var deadNeurons: [Set<Int>] = [[], []]
  var deadHeads: [Set<Int>] = [[], []]

  /// The width of a head.
  var headSize = 4

  static let (hidden, heads, groups, inner, vocabulary) = (8, 4, 2, 6, 5)

  /// The document `config.json`.
  var document: JSONValue {
    var object = JSONObject()
    let sizes: [(JSONText, JSONValue)] = [
      ("model_type", "llama"), ("hidden_size", JSONValue(Self.hidden)),
      ("num_hidden_layers", 2), ("num_attention_heads", JSONValue(Self.heads)),
      ("num_key_value_heads", JSONValue(Self.groups)), ("head_dim", JSONValue(headSize)),
      ("intermediate_size", JSONValue(Self.inner)), ("vocab_size", JSONValue(Self.vocabulary)),
      ("max_position_embeddings", 64),
    ]
    for (key, value) in sizes + configuration { object[key] = value }
    return .object(object)
  }

  /// Random weights that every precision holds exactly.
  func weights() throws -> MemoryTensors {
    var source = MemoryTensors()
    var generator = SplitMix64(seed: 7)
    let isBiased = configuration.contains { $0.0 == "attention_bias" }
    func set(_ name: String, _ shape: [Int], isKept: (Int, Int) -> Bool = { _, _ in true }) throws {
      let columns = shape.last ?? 1
      let values = (0..<shape.reduce(1, *)).map { index in
        let number = Float(Int.random(in: 1...127, using: &generator)) / 16
        return isKept(index / columns, index % columns) ? number : -0.0
      }
      let description = TensorDescription(elementType: .float32, shape: shape)
      try source.set(TensorName(name), description, floats: values)
    }
    let (queries, keys) = (Self.heads * headSize, Self.groups * headSize)
    try set("model.embed_tokens.weight", [Self.vocabulary, Self.hidden])
    try set("model.norm.weight", [Self.hidden])
    if !configuration.contains(where: { $0.0 == "tie_word_embeddings" }) {
      try set("lm_head.weight", [Self.vocabulary, Self.hidden])
    }
    for block in 0..<2 {
      let start = "model.layers.\(block)."
      for (name, outputs) in [("q_proj", queries), ("k_proj", keys), ("v_proj", keys)] {
        try set("\(start)self_attn.\(name).weight", [outputs, Self.hidden])
        if isBiased { try set("\(start)self_attn.\(name).bias", [outputs]) }
      }
      try set("\(start)self_attn.o_proj.weight", [Self.hidden, queries]) {
        !deadHeads[block].contains($1 / headSize)
      }
      if isBiased { try set("\(start)self_attn.o_proj.bias", [Self.hidden]) }
      for name in ["gate_proj", "up_proj"] {
        try set("\(start)mlp.\(name).weight", [Self.inner, Self.hidden])
      }
      try set("\(start)mlp.down_proj.weight", [Self.hidden, Self.inner]) {
        !deadNeurons[block].contains($1)
      }
      for name in ["input_layernorm", "post_attention_layernorm"] {
        try set("\(start)\(name).weight", [Self.hidden])
      }
    }
    return source
  }

  /// What is to be written, and from which weights.
  func export() throws -> (GGUFExport, MemoryTensors) {
    let configuration = try ModelConfiguration(config: document)
    let weights = try weights()
    let model = try DecoderModel(configuration: configuration, source: weights)
    let export = GGUFExport(
      name: "sample",
      model: model,
      configuration: configuration,
      cut: try ModelCut(of: model)
    )
    return (export, weights)
  }

  /// Writes and reads back.
  func written(
    _ change: (inout GGUFExport) -> Void = { _ in }
  ) throws -> (file: GGUFFile, weights: MemoryTensors) {
    let scratch = try ScratchDirectory()
    var (export, weights) = try export()
    change(&export)
    _ = try export.write(to: scratch.path("x.gguf"))
    // The mapping outlives the directory.
    return (try GGUFFile(path: scratch.path("x.gguf")), weights)
  }
}
