import ExactJSON
import Foundation
import Testing

@testable import Transformer

@Suite("Configurations")
struct ConfigurationTests {
  static func config(_ name: String) throws -> JSONValue {
    try parse(try golden(name).appending(path: "config.json"))
  }

  /// A fixture's configuration with other values; null removes a key.
  static func changing(
    _ name: String,
    _ changes: KeyValuePairs<String, JSONValue>
  ) throws -> JSONValue {
    var object = try #require(try config(name).object)
    for (key, value) in changes { object[JSONText(key)] = value.isNull ? nil : value }
    return .object(object)
  }

  static func read(
    _ name: String,
    _ changes: KeyValuePairs<String, JSONValue> = [:]
  ) throws -> DecoderDescription {
    try ModelConfiguration(config: try changing(name, changes)).decoder
  }

  /// The key and the value that a configuration is refused for.
  static func refusal(
    _ name: String,
    _ changes: KeyValuePairs<String, JSONValue>
  ) throws -> String {
    let config = try changing(name, changes)
    do {
      _ = try ModelConfiguration(config: config)
      return "none"
    } catch {
      switch error {
      case .missingKey(let key): return "missing \(key)"
      case .unstatedKey(let key, _): return "unstated \(key)"
      case .invalidValue(let key, let found, _): return "invalid \(key) \(found)"
      case .unsupported(let key, let found, _): return "unsupported \(key) \(found)"
      default: return "\(error)"
      }
    }
  }

  @Test("both spellings of rotary positions mean the same")
  func spellings() throws {
    let scaling: JSONValue = [
      "factor": 8, "high_freq_factor": 4, "low_freq_factor": 1,
      "original_max_position_embeddings": 32, "rope_type": "llama3",
    ]
    let old = try Self.read(
      "llama3",
      ["rope_parameters": .null, "rope_theta": 500_000, "rope_scaling": scaling]
    )
    #expect(try old == Self.read("llama3"))
    let expected = RotaryScaling.llama3(
      factor: 8,
      lowFrequency: 1,
      highFrequency: 4,
      originalLength: 32
    )
    #expect(old.position == .rotary(base: 500_000, scaling: expected))
    let oldest = try Self.read(
      "llama",
      ["rope_parameters": .null, "rope_scaling": ["type": "linear", "factor": 2]]
    )
    #expect(oldest.position == .rotary(base: 10_000, scaling: .linear(factor: 2)))
  }

  @Test("absent and null keys take the family's standard")
  func defaults() throws {
    let dense = try Self.read("llama", ["num_key_value_heads": .null, "head_dim": .null])
    #expect(dense.blockShapes.allSatisfy { $0.keyValueHeads == $0.heads })
    #expect(dense.headSize == 8)
    var object = try #require(try Self.config("llama").object)
    object["head_dim"] = JSONValue.null
    object["rope_parameters"] = JSONValue.null
    object["sliding_window"] = JSONValue.null
    #expect(try ModelConfiguration(config: .object(object)).decoder == dense)
    #expect(try !Self.read("llama", ["tie_word_embeddings": .null]).isTied)
    #expect(try Self.read("opt", ["tie_word_embeddings": .null]).isTied)
    #expect(try Self.read("opt", ["enable_bias": false]).biased.isEmpty)
    let biased = try Self.read("llama", ["attention_bias": true]).biased
    #expect(biased == [.query, .key, .value, .attentionOutput])
    #expect(try Self.read("llama", ["mlp_bias": true]).biased == [.gate, .up, .down])
    #expect(try Self.read("llama", ["model_type": .null]) == Self.read("llama"))
    #expect(try Self.read("llama", ["partial_rotary_factor": 1]) == Self.read("llama"))
  }

  @Test("whole configurations that are not supported are refused by name")
  func refusedModels() throws {
    for (name, key) in [
      ("opt-postnorm", "do_layer_norm_before"), ("gemma2", "model_type"), ("gpt2", "model_type"),
    ] {
      let config = try parse(try golden("refused-\(name).json"))
      let error = #expect(throws: ModelError.self) { try ModelConfiguration(config: config) }
      guard case .unsupported(key, _, _)? = error else {
        Issue.record("\(name) is refused for another reason: \(String(describing: error))")
        continue
      }
    }
    #expect(throws: ModelError.configurationIsNoObject) {
      try ModelConfiguration(config: ["opt"])
    }
  }

  @Test("what is not implemented is refused by name")
  func refusedFeatures() throws {
    let check = Self.refusal
    #expect(try check("opt", ["word_embed_proj_dim": 16]) == "unsupported word_embed_proj_dim 16")
    #expect(
      try check("opt", ["_remove_final_layer_norm": true])
        == "unsupported _remove_final_layer_norm true"
    )
    #expect(
      try check("opt", ["activation_function": "gelu"])
        == "unsupported activation_function \"gelu\""
    )
    #expect(try check("llama", ["sliding_window": 8]) == "unsupported sliding_window 8")
    #expect(
      try check("llama", ["layer_types": ["full_attention", "sliding_attention"]])
        .hasPrefix("unsupported layer_types")
    )
    #expect(
      try check("llama", ["rope_scaling": ["rope_type": "yarn"], "rope_parameters": .null])
        == "unsupported rope_scaling.rope_type \"yarn\""
    )
    #expect(
      try check("llama", ["rope_parameters": ["full_attention": ["rope_theta": 1]]])
        .hasPrefix("unsupported rope_parameters.full_attention")
    )
    #expect(
      try check("llama", ["partial_rotary_factor": .number(JSONNumber(0.5))])
        == "unsupported partial_rotary_factor 0.5"
    )
    #expect(
      try check("llama", ["quantization_config": ["bits": 4]])
        .hasPrefix("unsupported quantization_config")
    )
    #expect(
      try check("llama", ["architectures": ["LlamaForSequenceClassification"]])
        .hasPrefix("unsupported architectures")
    )
  }

  @Test(
    "sizes that no model has are refused",
    arguments: ["0", "-1", "1e3", "9223372036854775807", "99999999999999999999", "\"8\"", "[]"]
  )
  func sizes(text: String) throws {
    let value = try JSONParser.parse(Array(text.utf8))
    for key in ["hidden_size", "num_attention_heads", "num_hidden_layers", "intermediate_size"] {
      #expect(try Self.refusal("llama", [key: value]) == "invalid \(key) \(text)")
    }
    for key in ["num_key_value_heads", "head_dim", "vocab_size", "max_position_embeddings"] {
      #expect(try Self.refusal("llama", [key: value]) == "invalid \(key) \(text)")
    }
  }

  @Test("sizes that do not go together are refused")
  func mismatches() throws {
    let check = Self.refusal
    #expect(try check("opt", ["num_attention_heads": 5]) == "invalid num_attention_heads 5")
    #expect(try check("llama", ["num_key_value_heads": 3]) == "invalid num_key_value_heads 3")
    #expect(try check("llama", ["num_key_value_heads": 8]) == "invalid num_key_value_heads 8")
    #expect(try check("llama", ["head_dim": 7]) == "invalid head_dim 7")
    #expect(try check("llama", ["hidden_size": .null]) == "missing hidden_size")
    #expect(try check("llama", ["rms_norm_eps": 0]) == "invalid rms_norm_eps 0")
  }

  @Test("lists give each block its sizes, scalars those of the other keys")
  func lists() throws {
    let lists: KeyValuePairs<String, JSONValue> = [
      "layer_num_attention_heads": [4, 2], "layer_num_key_value_heads": [2, 1],
      "layer_intermediate_size": [7, 44], "num_attention_heads": .null,
      "architectures": ["PrunedLlamaForCausalLM"],
    ]
    #expect(
      try Self.read("llama", lists).blockShapes == [
        BlockShape(heads: 4, keyValueHeads: 2, innerSize: 7),
        BlockShape(heads: 2, keyValueHeads: 1, innerSize: 44),
      ]
    )
    let some = try Self.read("llama", ["layer_num_attention_heads": [8, 4]])
    #expect(some.blockShapes.map(\.heads) == [8, 4])
    #expect(some.blockShapes.map(\.keyValueHeads) == [4, 4])
    #expect(some.blockShapes.map(\.innerSize) == [44, 44])
    #expect(some.uniformShape == nil)
    let alike = try Self.read("opt", ["layer_intermediate_size": [48, 48]])
    #expect(try alike == Self.read("opt"))
  }

  @Test("lists that do not fit are refused with the block")
  func refusedLists() throws {
    let check = Self.refusal
    let (heads, groups) = ("layer_num_attention_heads", "layer_num_key_value_heads")
    let inner = "layer_intermediate_size"
    #expect(try check("llama", [inner: [44]]) == "invalid \(inner) [44]")
    #expect(try check("llama", [inner: 44]) == "invalid \(inner) 44")
    #expect(try check("llama", [inner: [44, 0]]) == "unsupported \(inner)[1] 0")
    #expect(try check("llama", [heads: [0, 4]]) == "unsupported \(heads)[0] 0")
    #expect(try check("llama", [heads: [4, -1]]) == "invalid \(heads)[1] -1")
    #expect(try check("llama", [inner: [44, "44"]]) == "invalid \(inner)[1] \"44\"")
    #expect(try check("llama", [inner: [44, 1_048_577]]) == "invalid \(inner)[1] 1048577")
    #expect(try check("llama", [groups: [2, 3]]) == "invalid \(groups)[1] 3")
    #expect(try check("llama", [heads: [4, 2]]) == "invalid num_key_value_heads 4")
    #expect(try check("opt", [heads: [4, 2]]) == "missing head_dim")
    // A class of its own is needed only where blocks differ.
    #expect(
      try check("llama", ["architectures": ["PrunedLlamaForCausalLM"]])
        .hasPrefix("unsupported architectures")
    )
  }

  @Test("mistral is llama without biases, and its window must be stated as none")
  func mistral() throws {
    let changes: KeyValuePairs<String, JSONValue> = [
      "model_type": "mistral", "architectures": ["MistralForCausalLM"],
    ]
    var object = try #require(try Self.changing("llama", changes).object)
    func reading(_ key: String, _ value: JSONValue?) throws -> ModelConfiguration {
      var changed = object
      changed[JSONText(key)] = value
      return try ModelConfiguration(config: .object(changed))
    }
    let window = ModelError.unstatedKey("sliding_window", standard: "4096")
    #expect(throws: window) { try ModelConfiguration(config: .object(object)) }
    object["sliding_window"] = JSONValue.null
    let model = try ModelConfiguration(config: .object(object))
    #expect(model.modelType == "mistral")
    #expect(try model.decoder == Self.read("llama"))
    #expect(try reading("attention_bias", true).decoder.biased.isEmpty)
    #expect(
      throws: ModelError.unsupported(key: "sliding_window", found: "4096", supported: "null")
    ) { try reading("sliding_window", 4096) }
    #expect(throws: ModelError.unstatedKey("num_key_value_heads", standard: "8")) {
      try reading("num_key_value_heads", nil)
    }
  }

  @Test("blended frequencies are continuous and lie between scaled and unscaled ones")
  func llama3Frequencies() {
    let scaling = RotaryScaling.llama3(
      factor: 8,
      lowFrequency: 1,
      highFrequency: 4,
      originalLength: 100
    )
    var before = scaling.apply(to: 1e-3)
    for step in 1...4000 {
      let frequency = 1e-3 + Double(step) * 1e-4
      let scaled = scaling.apply(to: frequency)
      #expect(frequency / 8 <= scaled && scaled <= frequency)
      // The steepest slope is below 1 + 4 · 7/8 / 3 · (2 π / 100)⁻¹ · 2 π / 100 < 3.
      #expect(scaled >= before && scaled - before < 3e-4)
      before = scaled
    }
    #expect(scaling.apply(to: 0.06) == 0.06 / 8)
    #expect(scaling.apply(to: 0.26) == 0.26)
  }
}
