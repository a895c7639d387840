/// The class for transformers that gives each block of a model its own sizes, written beside the
/// checkpoint as a Python module.
///
/// It is made for transformers 4.57 and 5, which load it where `trust_remote_code` is set.
enum BlockClass: String {
  case opt = "OPT"
  case llama = "Llama"
  case mistral = "Mistral"

  /// The module's name.
  static let module = "modeling_pruned"
  /// The module's file.
  static let fileName = "\(module).py"

  /// The class's name.
  var name: String { "Pruned\(rawValue)ForCausalLM" }

  /// The module.
  var source: String {
    switch self {
    case .opt: Self.optSource
    case .llama, .mistral: gatedSource
    }
  }

  /// Only neurons: attention of this family fills the hidden state.
  private static let optSource = """
    \"\"\"OPT whose layers differ in size: config.json lists the sizes of each layer.\"\"\"
    from torch import nn
    from transformers import OPTForCausalLM


    class PrunedOPTForCausalLM(OPTForCausalLM):
        def __init__(self, config):
            super().__init__(config)
            for layer, size in zip(self.model.decoder.layers, config.layer_intermediate_size):
                layer.fc1 = nn.Linear(config.hidden_size, size, bias=config.enable_bias)
                layer.fc2 = nn.Linear(size, config.hidden_size, bias=config.enable_bias)
            self.post_init()

    """

  private var gatedSource: String {
    """
    \"\"\"\(rawValue) whose layers differ in size: config.json lists the sizes of each layer.\"\"\"
    import copy

    from transformers import \(rawValue)ForCausalLM
    from transformers.models.\(rawValue.lowercased()).modeling_\(rawValue.lowercased()) import (
        \(rawValue)Attention,
        \(rawValue)MLP,
    )


    class \(name)(\(rawValue)ForCausalLM):
        def __init__(self, config):
            super().__init__(config)
            for index, layer in enumerate(self.model.layers):
                sizes = copy.copy(config)
                sizes.intermediate_size = config.layer_intermediate_size[index]
                sizes.num_attention_heads = config.layer_num_attention_heads[index]
                sizes.num_key_value_heads = config.layer_num_key_value_heads[index]
                layer.mlp = \(rawValue)MLP(sizes)
                layer.self_attn = \(rawValue)Attention(sizes, index)
                # The choice of an attention kernel is made in the model's own configuration.
                layer.self_attn.config = config
            self.post_init()

    """
  }
}
