import ExactJSON
import Tensors
import Transformer

/// The shape of a model that is calibrated, and the windows.
struct ModelShape {
  let name: String
  let isGated: Bool
  let hidden: Int
  let inner: Int
  let heads: Int
  let keyValueHeads: Int
  let vocabulary: Int
  /// The blocks of the whole model; one is made, as all are alike.
  let blocks: Int
  /// The tokens of a window.
  let length: Int

  /// A model whose weights stay in the caches.
  static let tiny = ModelShape(
    name: "tiny OPT",
    isGated: false,
    hidden: 256,
    inner: 1024,
    heads: 8,
    keyValueHeads: 8,
    vocabulary: 4096,
    blocks: 6,
    length: 256
  )

  /// OPT-125M.
  static let opt = ModelShape(
    name: "OPT-125M",
    isGated: false,
    hidden: 768,
    inner: 3072,
    heads: 12,
    keyValueHeads: 12,
    vocabulary: 50272,
    blocks: 12,
    length: 2048
  )

  /// TinyLlama-1.1B.
  static let llama = ModelShape(
    name: "Llama 1.1B",
    isGated: true,
    hidden: 2048,
    inner: 5632,
    heads: 32,
    keyValueHeads: 4,
    vocabulary: 32000,
    blocks: 22,
    length: 2048
  )

  private var headSize: Int { hidden / heads }
  private var narrow: Int { keyValueHeads * headSize }

  /// Outputs and inputs of the linear layers that read the same, by name.
  private var groups: [[(name: String, outputs: Int, inputs: Int)]] {
    isGated
      ? [
        [
          ("self_attn.q_proj", hidden, hidden), ("self_attn.k_proj", narrow, hidden),
          ("self_attn.v_proj", narrow, hidden),
        ],
        [("self_attn.o_proj", hidden, hidden)],
        [("mlp.gate_proj", inner, hidden), ("mlp.up_proj", inner, hidden)],
        [("mlp.down_proj", hidden, inner)],
      ]
      : [
        [
          ("self_attn.q_proj", hidden, hidden), ("self_attn.k_proj", hidden, hidden),
          ("self_attn.v_proj", hidden, hidden),
        ],
        [("self_attn.out_proj", hidden, hidden)], [("fc1", inner, hidden)],
        [("fc2", hidden, inner)],
      ]
  }

  /// The linear layers.
  var linears: [(outputs: Int, inputs: Int)] {
    groups.joined().map { ($0.outputs, $0.inputs) }
  }

  /// The orders of the factors: one `A` for layers that read the same, a `G` for each layer.
  var factorOrders: [Int] { groups.compactMap(\.first?.inputs) + groups.joined().map(\.outputs) }

  /// The operations of the linear layers for one token and one pass.
  var linearOperations: Double {
    linears.reduce(0) { $0 + 2 * Double($1.outputs) * Double($1.inputs) }
  }

  /// The operations of one product of queries and keys for one token; each sees half of them.
  var attentionOperations: Double { Double(heads * headSize) * Double(length) }

  /// The operations of the symmetric updates for one token.
  var factorOperations: Double { factorOrders.reduce(0) { $0 + Double($1) * Double($1) } }

  /// The operations of the output head for one token, forward and back.
  var headOperations: Double { 4 * Double(vocabulary) * Double(hidden) }

  /// A model of one block with made-up weights, the same every time.
  func model() throws -> DecoderModel {
    var source = MemoryTensors()
    var numbers = MadeUpNumbers()
    func set(_ name: String, _ shape: [Int], norm: Bool = false) throws {
      let count = shape.reduce(1, *)
      try source.set(
        TensorName(name),
        TensorDescription(elementType: .bfloat16, shape: shape),
        floats: norm ? [Float](repeating: 1, count: count) : numbers.next(count, scale: 0.03)
      )
    }
    let root = isGated ? "model" : "model.decoder"
    let prefix = "\(root).layers.0"
    try set("\(root).embed_tokens.weight", [vocabulary, hidden])
    for layer in groups.joined() {
      try set("\(prefix).\(layer.name).weight", [layer.outputs, layer.inputs])
      if !isGated { try set("\(prefix).\(layer.name).bias", [layer.outputs]) }
    }
    let norms =
      isGated
      ? ["\(root).norm", "\(prefix).input_layernorm", "\(prefix).post_attention_layernorm"]
      : [
        "\(root).final_layer_norm", "\(prefix).self_attn_layer_norm", "\(prefix).final_layer_norm",
      ]
    for norm in norms {
      try set("\(norm).weight", [hidden], norm: true)
      if !isGated { try set("\(norm).bias", [hidden]) }
    }
    if isGated {
      try set("lm_head.weight", [vocabulary, hidden])
    } else {
      try set("\(root).embed_positions.weight", [length + 2, hidden])
    }
    return try DecoderModel(
      configuration: ModelConfiguration(config: configuration),
      source: source
    )
  }

  private var configuration: JSONValue {
    isGated
      ? [
        "model_type": "llama", "hidden_size": JSONValue(hidden),
        "intermediate_size": JSONValue(inner), "num_attention_heads": JSONValue(heads),
        "num_key_value_heads": JSONValue(keyValueHeads), "num_hidden_layers": 1,
        "vocab_size": JSONValue(vocabulary), "rms_norm_eps": JSONValue(1e-5),
        "rope_theta": JSONValue(10000.0), "max_position_embeddings": JSONValue(length),
        "hidden_act": "silu", "tie_word_embeddings": false,
      ]
      : [
        "model_type": "opt", "hidden_size": JSONValue(hidden),
        "word_embed_proj_dim": JSONValue(hidden), "ffn_dim": JSONValue(inner),
        "num_attention_heads": JSONValue(heads), "num_hidden_layers": 1,
        "vocab_size": JSONValue(vocabulary), "max_position_embeddings": JSONValue(length),
        "do_layer_norm_before": true, "activation_function": "relu", "tie_word_embeddings": true,
      ]
  }
}

/// Numbers between −1 and 1, the same every time.
struct MadeUpNumbers {
  private var state: UInt32 = 1

  /// The next numbers, times a scale.
  mutating func next(_ count: Int, scale: Float) -> [Float] {
    var state = state
    let numbers = (0..<count).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return Float(Int32(bitPattern: state)) * 0x1p-31 * scale
    }
    self.state = state
    return numbers
  }
}
