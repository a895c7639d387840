#!/usr/bin/env python3
"""Writes a checkpoint of the shape of a known model, with random bfloat16 weights and fewer blocks.

usage: random_model.py SHAPE BLOCKS OUTPUT
  SHAPE   tiny-opt, opt-125m, opt-1.3b, llama-1.1b, or llama-70b

For measuring memory and time, which do not depend on what the weights are. The same arguments make the
same bytes. OUTPUT/tokens.safetensors holds 64 windows of 512 random tokens.
"""
import json
import random
import struct
import sys
from pathlib import Path

SHAPES = {
    # hidden, inner, heads, key-value heads, vocabulary
    "tiny-opt": (256, 1024, 8, 8, 4096),
    "opt-125m": (768, 3072, 12, 12, 50272),
    "opt-1.3b": (2048, 8192, 32, 32, 50272),
    "llama-1.1b": (2048, 5632, 32, 4, 32000),
    "llama-70b": (8192, 28672, 64, 8, 32000),
}
POSITIONS = 2048
# The high byte of a bfloat16: either sign, magnitudes from 2⁻⁷ to 2⁻⁵.
SIGNED = bytes(0x3C | byte & 0x80 for byte in range(256))
ONES = b"\x80\x3f"


def opt(hidden, inner, heads, _, vocabulary, blocks):
    tensors = {"model.decoder.embed_tokens.weight": (vocabulary, hidden),
               "model.decoder.embed_positions.weight": (POSITIONS + 2, hidden)}
    norms = ["model.decoder.final_layer_norm"]
    for block in range(blocks):
        prefix = f"model.decoder.layers.{block}"
        norms += [f"{prefix}.self_attn_layer_norm", f"{prefix}.final_layer_norm"]
        linears = [(f"self_attn.{part}_proj", hidden, hidden) for part in ("q", "k", "v", "out")]
        for name, rows, columns in [*linears, ("fc1", inner, hidden), ("fc2", hidden, inner)]:
            tensors[f"{prefix}.{name}.weight"] = (rows, columns)
            tensors[f"{prefix}.{name}.bias"] = (rows,)
    config = {
        "model_type": "opt", "architectures": ["OPTForCausalLM"], "hidden_size": hidden,
        "word_embed_proj_dim": hidden, "ffn_dim": inner, "num_attention_heads": heads,
        "num_hidden_layers": blocks, "vocab_size": vocabulary, "max_position_embeddings": POSITIONS,
        "do_layer_norm_before": True, "activation_function": "relu", "tie_word_embeddings": True,
        "torch_dtype": "bfloat16"}
    tensors |= {f"{norm}.{part}": (hidden,) for norm in norms for part in ("weight", "bias")}
    return config, tensors, norms


def llama(hidden, inner, heads, groups, vocabulary, blocks):
    narrow = hidden // heads * groups
    tensors = {"model.embed_tokens.weight": (vocabulary, hidden), "lm_head.weight": (vocabulary, hidden)}
    norms = ["model.norm"]
    for block in range(blocks):
        prefix = f"model.layers.{block}"
        norms += [f"{prefix}.input_layernorm", f"{prefix}.post_attention_layernorm"]
        for name, rows, columns in [
                ("self_attn.q_proj", hidden, hidden), ("self_attn.k_proj", narrow, hidden),
                ("self_attn.v_proj", narrow, hidden), ("self_attn.o_proj", hidden, hidden),
                ("mlp.gate_proj", inner, hidden), ("mlp.up_proj", inner, hidden),
                ("mlp.down_proj", hidden, inner)]:
            tensors[f"{prefix}.{name}.weight"] = (rows, columns)
    config = {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": hidden,
        "intermediate_size": inner, "num_attention_heads": heads, "num_key_value_heads": groups,
        "num_hidden_layers": blocks, "vocab_size": vocabulary, "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0, "max_position_embeddings": POSITIONS, "hidden_act": "silu",
        "tie_word_embeddings": False, "torch_dtype": "bfloat16"}
    tensors |= {f"{norm}.weight": (hidden,) for norm in norms}
    return config, tensors, norms


def count(shape):
    return shape[0] * (shape[1] if len(shape) > 1 else 1)


def write(path, tensors, element, size, content):
    header, position = {}, 0
    for name in sorted(tensors):
        end = position + size * count(tensors[name])
        header[name] = {"dtype": element, "shape": tensors[name], "data_offsets": [position, end]}
        position = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(tensors):
            for part in content(name, tensors[name]):
                file.write(part)


def weights(generator, norms):
    """Parts of the bytes of a tensor."""
    def content(name, shape):
        module, _, kind = name.rpartition(".")
        if module in norms:
            yield (ONES if kind == "weight" else b"\0\0") * count(shape)
            return
        for first in range(0, count(shape), 1 << 22):
            number = min(1 << 22, count(shape) - first)
            part = bytearray(generator.randbytes(2 * number))
            part[1::2] = part[1::2].translate(SIGNED)
            yield part
    return content


shape, blocks, output = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
config, tensors, norms = (opt if shape.startswith("opt") else llama)(*SHAPES[shape], blocks)
generator = random.Random(1)
output.mkdir(parents=True)
(output / "config.json").write_text(json.dumps(config, indent=2) + "\n")
write(output / "model.safetensors", tensors, "BF16", 2, weights(generator, norms))
vocabulary = config["vocab_size"]
write(output / "tokens.safetensors", {"tokens": (64, 512)}, "I32", 4,
      lambda *_: [struct.pack("<i", generator.randrange(4, vocabulary)) for _ in range(64 * 512)])
