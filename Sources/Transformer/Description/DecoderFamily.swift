import ExactJSON

/// What the models of one family have in common: a row of the table of supported families.
struct DecoderFamily: Equatable, Sendable {
  /// A choice that a family makes once, or leaves to a key of the configuration.
  struct Switch: Equatable, Sendable {
    let key: String?
    let standard: Bool
  }

  /// Where the sizes stand in the configuration.
  struct Keys: Equatable, Sendable {
    let innerSize: String
    let activation: String
    var keyValueHeads: String?
    var headSize: String?
    var normEpsilon: String?
  }

  /// A key that may only hold one value, or be absent or null.
  struct Requirement: Equatable, Sendable {
    let key: String
    let value: JSONValue
  }

  /// A key that must be there, if only as null, because transformers has another default.
  struct StatedKey: Equatable, Sendable {
    let key: String
    /// What transformers takes where the key is absent.
    let standard: String
  }

  /// `model_type` in the configuration.
  let modelType: String
  /// The name that `architectures` holds for a language model of this family.
  let architecture: String
  let keys: Keys
  let names: TensorNames
  let norm: NormKind
  /// Used where the configuration has no such key.
  let normEpsilon: Double
  /// Learned positions start at this row of their table; rotary positions if nil.
  let learnedPositionOffset: Int?
  let activation: Activation
  let isGated: Bool
  /// Whether query, key and value have a bias.
  let inputBias: Switch
  let outputBias: Switch
  let feedForwardBias: Switch
  /// The value of `tie_word_embeddings` where it is absent.
  let isTied: Bool
  let requirements: [Requirement]
  var statedKeys: [StatedKey] = []
  /// What llama.cpp calls models of this family; nil if it does not run them.
  var ggufArchitecture: String?

  /// The names of a family's modules, as transformers spells them.
  struct TensorNames: Equatable, Sendable {
    /// The part of every name but the head's that some checkpoints leave out.
    let root: String
    let tokenEmbedding: String
    var positionEmbedding: String?
    let blocks: String
    let attentionNorm: String
    let feedForwardNorm: String
    let linears: [LinearRole: String]
    let finalNorm: String
    let head: String
    /// Ends of names that old checkpoints hold and no model reads.
    var ignoredEndings: [String] = []
  }
}

extension DecoderFamily {
  /// The supported families.
  static let all = [opt, llama, mistral]

  /// What every family requires.
  static let commonRequirements = [
    Requirement(key: "quantization_config", value: .null),
    Requirement(key: "per_layer_config", value: .null),
    Requirement(key: "sliding_window", value: .null),
    Requirement(key: "attn_logit_softcapping", value: .null),
    Requirement(key: "final_logit_softcapping", value: .null),
    Requirement(key: "is_encoder_decoder", value: false),
    Requirement(key: "add_cross_attention", value: false),
  ]

  private static let opt = DecoderFamily(
    modelType: "opt",
    architecture: "OPTForCausalLM",
    keys: Keys(innerSize: "ffn_dim", activation: "activation_function"),
    names: TensorNames(
      root: "model.",
      tokenEmbedding: "decoder.embed_tokens",
      positionEmbedding: "decoder.embed_positions",
      blocks: "decoder.layers",
      attentionNorm: "self_attn_layer_norm",
      feedForwardNorm: "final_layer_norm",
      linears: [
        .query: "self_attn.q_proj", .key: "self_attn.k_proj", .value: "self_attn.v_proj",
        .attentionOutput: "self_attn.out_proj", .up: "fc1", .down: "fc2",
      ],
      finalNorm: "decoder.final_layer_norm",
      head: "lm_head"
    ),
    norm: .layer,
    normEpsilon: 1e-5,
    learnedPositionOffset: 2,
    activation: .relu,
    isGated: false,
    inputBias: Switch(key: "enable_bias", standard: true),
    outputBias: Switch(key: "enable_bias", standard: true),
    feedForwardBias: Switch(key: "enable_bias", standard: true),
    isTied: true,
    requirements: [
      Requirement(key: "do_layer_norm_before", value: true),
      Requirement(key: "_remove_final_layer_norm", value: false),
      Requirement(key: "layer_norm_elementwise_affine", value: true),
    ]
  )

  private static let llama = llamaLike(
    modelType: "llama",
    architecture: "LlamaForCausalLM",
    attentionBias: Switch(key: "attention_bias", standard: false),
    feedForwardBias: Switch(key: "mlp_bias", standard: false)
  )

  private static let mistral = llamaLike(
    modelType: "mistral",
    architecture: "MistralForCausalLM",
    attentionBias: Switch(key: nil, standard: false),
    feedForwardBias: Switch(key: nil, standard: false),
    statedKeys: [
      StatedKey(key: "num_key_value_heads", standard: "8"),
      StatedKey(key: "sliding_window", standard: "4096"),
    ]
  )

  /// The families that have the tensors and the arithmetic of Llama.
  private static func llamaLike(
    modelType: String,
    architecture: String,
    attentionBias: Switch,
    feedForwardBias: Switch,
    statedKeys: [StatedKey] = [],
    ggufArchitecture: String = "llama"
  ) -> DecoderFamily {
    DecoderFamily(
      modelType: modelType,
      architecture: architecture,
      keys: Keys(
        innerSize: "intermediate_size",
        activation: "hidden_act",
        keyValueHeads: "num_key_value_heads",
        headSize: "head_dim",
        normEpsilon: "rms_norm_eps"
      ),
      names: TensorNames(
        root: "model.",
        tokenEmbedding: "embed_tokens",
        blocks: "layers",
        attentionNorm: "input_layernorm",
        feedForwardNorm: "post_attention_layernorm",
        linears: [
          .query: "self_attn.q_proj", .key: "self_attn.k_proj", .value: "self_attn.v_proj",
          .attentionOutput: "self_attn.o_proj", .gate: "mlp.gate_proj", .up: "mlp.up_proj",
          .down: "mlp.down_proj",
        ],
        finalNorm: "norm",
        head: "lm_head",
        ignoredEndings: [".self_attn.rotary_emb.inv_freq"]
      ),
      norm: .rootMeanSquare,
      normEpsilon: 1e-6,
      learnedPositionOffset: nil,
      activation: .silu,
      isGated: true,
      inputBias: attentionBias,
      outputBias: attentionBias,
      feedForwardBias: feedForwardBias,
      isTied: false,
      requirements: [],
      statedKeys: statedKeys,
      ggufArchitecture: ggufArchitecture
    )
  }
}
